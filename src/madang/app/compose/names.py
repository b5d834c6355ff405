"""Names of Compose -> names of Kubernetes objects.

In: a service's name, which may hold capitals, dots and underscores. Out: a DNS label (RFC 1035), since a Service must
be one; the name as it was written becomes an alias, so that both spellings resolve.
"""

import re
from collections.abc import Iterable


def object_name(name: str, most: int = 63) -> str:
    out = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    if not out or not out[0].isalpha():
        out = f"s-{out}".rstrip("-")
    return out[:most].rstrip("-")


def clashes(names: Iterable[str]) -> dict[str, list[str]]:
    """Object names that several services would share."""
    out: dict[str, list[str]] = {}
    for name in names:
        out.setdefault(object_name(name), []).append(name)
    return {k: v for k, v in out.items() if len(v) > 1}


def data_key(name: str) -> str:
    """A ConfigMap's key holds letters, digits, `-`, `_`, `.` only, and is no way up."""
    key = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return key if key.strip(".") else "content"
