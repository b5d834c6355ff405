"""The container runtime: a container from an image's layers, by runc or crun, under the same monitors as the host's."""
