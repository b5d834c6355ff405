"""What a kind is: one row of the table that discovery, the verbs, validation, tables and docs are derived from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from madang.kinds.causes import Cause
from madang.ports.objects import Obj

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """`kind`, `group` and `version` where it speaks another kind than its parent (Scale, Binding, Eviction)."""

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    kind: str = ""
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A printed column; `cell` gives its value from (object, now in epoch seconds)."""

    name: str
    type: str
    description: str
    cell: Callable[[Obj, float], Any]
    format: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Conversion:
    """Another group version under which the same objects are served. Both functions make new objects."""

    group: str
    version: str
    from_stored: Callable[[Obj], Obj]
    to_stored: Callable[[Obj], Obj]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. Defaults and preparations change a fresh copy in place; checks return causes and change nothing.

    `default(obj)` sets what the API sets by the object alone; `default_rest(obj)` what of it lies outside the spec, for
    a write that brings back the very spec that is stored (None: such a write is asked as a whole).
    `prepare_create(obj)` and `prepare_update(new, old)` are the strategy: drop status on a write of the object, set
    generation; `prepare_status(new, old)` keeps the rest on a write of the status.
    `check(new, old)` has `old` None on create. `acted` False: stored, but nothing acts on it yet (each write warns).
    """

    group: str
    version: str  # the stored one
    kind: str
    plural: str
    namespaced: bool = True
    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    served: tuple[str, ...] = ()  # other versions than the stored one
    subresources: tuple[Subresource, ...] = ()
    columns: Sequence[Column] = ()
    fields: Mapping[str, Callable[[Obj], str]] = field(default_factory=dict)  # selectable beyond name and namespace
    default: Callable[[Obj], None] | None = None
    default_rest: Callable[[Obj], None] | None = None
    prepare_create: Callable[[Obj], None] | None = None
    prepare_update: Callable[[Obj, Obj], None] | None = None
    prepare_status: Callable[[Obj, Obj], None] | None = None  # (new, old) on a write of the status subresource
    check: Callable[[Obj, Obj | None], Sequence[Cause]] | None = None
    check_status: Callable[[Obj, Obj], Sequence[Cause]] | None = None
    warn: Callable[[Obj, Obj | None], Sequence[str]] | None = None  # texts for the Warning header of a good write
    acted: bool = True
    also: tuple[Conversion, ...] = ()  # how the versions in `served`, or another group's, are made and read

    @property
    def id(self) -> str:
        """The group resource: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version
