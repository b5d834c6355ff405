"""The Kubernetes API as a port: the verbs on any kind, as somebody.

Two implementations stand under one contract suite: `api.direct` (rooms inside the house) and `api.remote`
(over the unix socket or HTTPS: the command line, tests, workers). All refusals are `StatusError`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from madang.ports.objects import Change, Entry, Kind, Obj
from madang.ports.view import View

PatchType = Literal["merge", "json", "strategic", "apply"]


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `name` as Kubernetes names users: `system:node:node-1`, `system:serviceaccount:NS:NAME`."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    dry_run: bool = False
    field_manager: str = ""
    field_validation: Literal["Strict", "Warn", "Ignore"] = "Warn"
    force: bool = False


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """`grace_s` None means the object's own; `uid` and `revision` are preconditions."""

    grace_s: int | None = None
    uid: str | None = None
    revision: str | None = None
    propagation: Literal["Background", "Foreground", "Orphan"] | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ListOptions:
    labels: str = ""  # a label selector in the API's text form
    fields: str = ""  # a field selector
    limit: int = 0
    continue_: str = ""
    revision: str = ""
    match: Literal["", "Exact", "NotOlderThan"] = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `revision` is the list's resourceVersion; `continue_` is empty on the last page."""

    entries: Sequence[Entry]
    revision: str
    continue_: str = ""
    remaining: int | None = None


class Written(NamedTuple):
    """The answer to a write: the object as stored, whether this call made it, and the API's warnings."""

    obj: Obj
    created: bool = False
    warnings: tuple[str, ...] = ()


class Api(Protocol):
    """`as_` gives the same API for another identity; rooms inside use their own."""

    def as_(self, user: User) -> "Api": ...

    async def get(self, kind: Kind, namespace: str, name: str, *, subresource: str = "") -> Obj: ...

    async def list(self, kind: Kind, namespace: str | None = None, options: ListOptions = ...) -> Page: ...

    def watch(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        since: str = "",
        bookmarks: bool = False,
        timeout_s: float | None = None,
    ) -> AsyncIterator[Change]:
        """Changes after the revision `since` (empty: the present state first, as ADDED). Ends when the timeout
        is reached or the watcher was too slow; raises Expired where `since` has left the window."""
        ...

    async def create(
        self,
        kind: Kind,
        obj: Obj,
        *,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        options: WriteOptions = ...,
    ) -> Written:
        """`name` and `subresource` are for what is posted under an object: bindings, evictions, tokens."""
        ...

    async def update(self, kind: Kind, obj: Obj, *, subresource: str = "", options: WriteOptions = ...) -> Written: ...

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: Obj | Sequence[Mapping[str, object]] | bytes,
        *,
        style: PatchType = "merge",
        subresource: str = "",
        options: WriteOptions = ...,
    ) -> Written: ...

    async def delete(self, kind: Kind, namespace: str, name: str, options: DeleteOptions = ...) -> Obj:
        """The object as it went, or as it waits for its finalizers or grace; a Status where the API answers one."""
        ...

    async def delete_collection(
        self, kind: Kind, namespace: str, selection: ListOptions = ..., options: DeleteOptions = ...
    ) -> Obj: ...


class LocalApi(Api, Protocol):
    """What only the house's inside has: the committed state without waiting."""

    @property
    def view(self) -> View: ...
