"""A kind as the verbs use it: its row of the table, its tree, and the group version in which it was asked for.

In: a group resource, or the group, version and plural of a path. Out: shared `Resource` values; what nothing serves
is the API's 404.
"""

from dataclasses import dataclass
from functools import lru_cache

from madang.api import errors
from madang.kinds import table
from madang.kinds.kind import Conversion, Kind
from madang.kinds.schema import Node, node
from madang.ports.objects import Obj


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """`conversion` is set where the path asks for another group version than the stored one."""

    row: Kind
    node: Node
    conversion: Conversion | None = None

    @property
    def group(self) -> str:
        return self.conversion.group if self.conversion else self.row.group

    @property
    def version(self) -> str:
        return self.conversion.version if self.conversion else self.row.version

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def stored_node(self) -> Node:
        return node(self.row.group, self.row.version, self.row.kind) if self.conversion else self.node

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
        return self.conversion.from_stored(obj) if self.conversion else obj


@lru_cache(256)
def resource(kind: str) -> Resource:
    """By group resource, in the stored version."""
    try:
        row = table.by_id(kind)
    except KeyError:
        raise errors.no_resource() from None
    return Resource(row, node(row.group, row.version, row.kind))


@lru_cache(256)
def at_path(group: str, version: str, plural: str) -> Resource:
    """By a path, in any served version."""
    served = table.by_path(group, version, plural)
    if served is None:
        raise errors.no_resource()
    if served.conversion is None:
        return resource(served.kind.id)
    return Resource(served.kind, served.node, served.conversion)
