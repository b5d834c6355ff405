"""A kind as the verbs use it: its row of the table, its tree, and the group version in which it was asked for.

In: a group resource, or the group, version and plural of a path. Out: shared `Resource` values; what nothing serves
is the API's 404.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from madang.api import errors
from madang.kinds import table
from madang.kinds.kind import Conversion, Kind
from madang.kinds.schema import Node
from madang.kinds.table import Served
from madang.ports.objects import Obj


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """`asked` is the group version of the path, which may be another than the stored one; `row` and its tree stand
    here too, since every verb reads them."""

    row: Kind
    node: Node
    asked: Served

    @property
    def conversion(self) -> Conversion | None:
        return self.asked.conversion

    @property
    def api_version(self) -> str:
        return self.asked.api_version

    @property
    def stored(self) -> "Resource":
        return posted(self.row) if self.conversion else self

    @property
    def head(self) -> bytes:
        """How the bytes of every stored object of this kind begin; an item of a list goes without."""
        return b'{"kind":"%s","apiVersion":"%s",' % (self.row.kind.encode(), self.row.api_version.encode())

    def field(self, obj: Obj, name: str) -> str:
        """A selectable field as text."""
        if name == "metadata.name":
            return str(obj["metadata"].get("name", ""))
        if name == "metadata.namespace":
            return str(obj["metadata"].get("namespace", ""))
        return str(self.row.fields[name](obj))

    def served(self, obj: Obj) -> Obj:
        """A stored object in the group version asked for."""
        return self.asked.from_stored(obj)


class Aim(NamedTuple):
    """What a verb is about: an object, or what hangs under it. `namespace` is empty where the kind has none."""

    resource: Resource
    namespace: str
    name: str
    subresource: str = ""

    @property
    def aside(self) -> bool:
        """A subresource that is a kind of its own, and goes its own way."""
        return self.subresource not in ("", "status")


def posted(row: Kind) -> Resource:
    """In the row's own version; also what is posted under objects (Scale, Binding ...) and is no row of the table."""
    return _of(Served(row, row.group, row.version))


def _of(served: Served) -> Resource:
    return Resource(served.kind, served.node, served)


@lru_cache(256)
def resource(kind: str) -> Resource:
    """By group resource, in the stored version."""
    try:
        row = table.by_id(kind)
    except KeyError:
        raise errors.no_resource() from None
    return posted(row)


@lru_cache(256)
def at_path(group: str, version: str, plural: str) -> Resource:
    """By a path, in any served version."""
    served = table.by_path(group, version, plural)
    if served is None:
        raise errors.no_resource()
    if served.conversion is None:
        return resource(served.kind.id)
    return _of(served)
