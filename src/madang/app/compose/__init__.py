"""The Compose Specification: files -> a project -> Kubernetes objects."""
