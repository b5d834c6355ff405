"""An application's files (Compose, manifests) -> objects."""
