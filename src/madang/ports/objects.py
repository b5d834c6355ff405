"""The words that all rooms use for objects: keys, decoded objects, changes.

A kind is named everywhere by its group resource: `pods`, `deployments.apps`, `endpointslices.discovery.k8s.io`.
An object is a decoded JSON object (`Obj`) that nobody changes in place: who wants another one makes another one.
"""

from typing import Any, Literal, NamedTuple, Protocol

Obj = dict[str, Any]
Kind = str  # the group resource


class Key(NamedTuple):
    """Where an object lives. `namespace` is empty for cluster-wide kinds."""

    kind: Kind
    namespace: str
    name: str


ChangeType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


class Entry(Protocol):
    """One object as it is stored. `data` is the truth; `obj` a view, decoded on demand and kept only for a while."""

    @property
    def key(self) -> Key: ...

    @property
    def revision(self) -> int: ...

    @property
    def data(self) -> bytes: ...

    @property
    def obj(self) -> Obj: ...


class Change(NamedTuple):
    """What a watcher sees. `before` is the state that this change replaced, where there was one."""

    type: ChangeType
    entry: Entry
    before: Entry | None = None


def ref(obj: Obj) -> tuple[str, str]:
    """(namespace, name) of an object."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
