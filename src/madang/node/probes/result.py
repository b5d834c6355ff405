"""What one try of a probe gave: well or not, and the kubelet's words for it."""

import errno
import os
from typing import NamedTuple


class Result(NamedTuple):
    ok: bool
    message: str = ""


def dial_error(error: OSError, host: str, port: int) -> str:
    """A connection that failed, as a kubelet words it."""
    number = error.errno or 0
    words = {errno.ECONNREFUSED: "connection refused", errno.EHOSTUNREACH: "no route to host"}.get(number)
    return f"dial tcp {host}:{port}: connect: {words or os.strerror(number).lower()}"
