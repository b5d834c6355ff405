"""One request, read: which resource its path means, what its query and headers ask for.

In: an ASGI scope. Out: `Request` values; the body is read separately, and bounded. Paths are those of the API
server (apiserver endpoints/request): /api/v1/..., /apis/GROUP/VERSION/..., with or without a namespace.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from madang.api.resources import Aim, Resource
from madang.ports.api import User

# What stands third in /api/v1/namespaces/NAME/... and means the Namespace itself.
OF_NAMESPACE = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where a path of a resource leads. `namespace` None: cluster-wide or of all namespaces."""

    group: str
    version: str
    plural: str
    namespace: str | None = None
    name: str = ""
    subresource: str = ""

    def aim(self, resource: Resource) -> Aim:
        return Aim(resource, self.namespace or "", self.name, self.subresource)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    user: User
    closing: asyncio.Event  # set when the doors close: streams end
    look: Callable[[], Awaitable[None]] | None = None  # has somebody notice clients that left unnoticed
    pairs: tuple[tuple[str, str], ...] = ()  # the query in order, where a name stands several times
    raw_path: str = ""  # as the client wrote them
    raw_query: str = ""

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("1", "true", "t")


@lru_cache(4096)
def target(path: str) -> Target | None:
    """None where the path is none of a resource."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace: str | None = None
    if rest[0] == "namespaces" and len(rest) >= 3 and not (len(rest) == 3 and rest[2] in OF_NAMESPACE and not group):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3 or not all(rest):
        return None
    padded = [*rest, "", ""]
    return Target(group, version, padded[0], namespace, padded[1], padded[2])


@lru_cache(1024)
def query(raw: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
