"""The Kubernetes API over HTTP: routes, encodings, watch streams, exec and port-forward sockets, authn."""
