"""The kind table: every kind that Madang speaks, found by id, by path or by name.

In: the rows (`kinds/rows`, one file a group). Out: `Kind` rows, and `Served`: a row under one of the group versions
where a client finds it. Discovery, the verbs, validation, tables and docs are all derived from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from madang.kinds import schema
from madang.kinds.checks import CHECKS, STATUS_CHECKS
from madang.kinds.kind import Conversion, Kind, Subresource
from madang.kinds.rows import cluster, core, gateway, reviews, storage, workloads
from madang.kinds.warnings import WARNINGS
from madang.ports.objects import Obj

_ROWS: tuple[Kind, ...] = (*core.ROWS, *workloads.ROWS, *cluster.ROWS, *storage.ROWS, *gateway.ROWS)
ALL: tuple[Kind, ...] = tuple(
    replace(row, check=CHECKS.get(row.id), check_status=STATUS_CHECKS.get(row.id), warn=WARNINGS.get(row.id))
    for row in _ROWS
)


@dataclass(frozen=True, slots=True)
class Served:
    """A kind as one group version serves it. `kind` is the stored row: `kind.id` names it in the store."""

    kind: Kind
    group: str
    version: str
    conversion: Conversion | None = None

    @property
    def id(self) -> str:
        """The group resource that messages name; of `events` in events.k8s.io `events.events.k8s.io`."""
        return f"{self.kind.plural}.{self.group}" if self.group else self.kind.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def node(self) -> schema.Node:
        """The shape of objects in this version."""
        return schema.node(self.group, self.version, self.kind.kind)

    def from_stored(self, obj: Obj) -> Obj:
        return self.conversion.from_stored(obj) if self.conversion else obj

    def to_stored(self, obj: Obj) -> Obj:
        return self.conversion.to_stored(obj) if self.conversion else obj


def _served() -> tuple[Served, ...]:
    return tuple(
        served
        for kind in ALL
        for served in (
            Served(kind, kind.group, kind.version),
            *(Served(kind, other.group, other.version, other) for other in kind.also),
        )
    )


SERVED: tuple[Served, ...] = _served()
# what discovery names beside them: posted and answered, never stored
REVIEWS: tuple[Served, ...] = tuple(Served(row, row.group, row.version) for row in reviews.ROWS)
_BY_ID: Mapping[str, Kind] = {served.id: served.kind for served in SERVED}
_BY_PATH: Mapping[tuple[str, str, str], Served] = {(s.group, s.version, s.kind.plural): s for s in SERVED}
_BY_KIND: Mapping[tuple[str, str, str], Served] = {(s.group, s.version, s.kind.kind): s for s in SERVED}


def by_id(group_resource: str) -> Kind:
    """The row of `pods`, `deployments.apps`; KeyError where there is none."""
    return _BY_ID[group_resource]


def by_path(group: str, version: str, plural: str) -> Served | None:
    """What `/apis/GROUP/VERSION/.../PLURAL` is (group "" for /api/v1)."""
    return _BY_PATH.get((group, version, plural))


def by_kind(group: str, version: str, kind: str) -> Served | None:
    """What an object's apiVersion and kind say."""
    return _BY_KIND.get((group, version, kind))


def by_object(obj: Obj) -> Served | None:
    group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
    return by_kind(group, version, str(obj.get("kind", "")))


def stored(kind: Kind) -> Served:
    """The row under its stored version."""
    return _BY_PATH[kind.group, kind.version, kind.plural]


def subresource(kind: Kind, name: str) -> Subresource | None:
    return next((sub for sub in kind.subresources if sub.name == name), None)
