"""Which Kubernetes this speaks, as /version and the OpenAPI documents say it."""

from madang import __version__

MAJOR, MINOR = "1", "36"
GIT_VERSION = f"v{MAJOR}.{MINOR}.2+madang{__version__}"
