"""Where the other services are: by their name, as in Compose and Kubernetes, unless the environment knows better."""

import os


def address(service: str, port: int = 8000) -> str:
    """NAME_URL wins; then NAME_SERVICE_HOST and NAME_SERVICE_PORT (Kubernetes sets them); else http://NAME:PORT."""
    name = service.upper().replace("-", "_")
    if url := os.environ.get(f"{name}_URL"):
        return url
    host, number = os.environ.get(f"{name}_SERVICE_HOST"), os.environ.get(f"{name}_SERVICE_PORT")
    return f"http://{host}:{number}" if host and number else f"http://{service}:{port}"
