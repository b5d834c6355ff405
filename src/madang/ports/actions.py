"""What a decision wants done: frozen values that a test compares and one hand (`loops/hand.py`) carries out.

Actions are idempotent: creating what exists and deleting what is gone are successes, so a prefix of a list
that was carried out before a crash does no harm when the same decision is made again. Neighbours of one type
(creates, deletes, patches) may be carried out side by side; their order against other types is kept.
"""

from dataclasses import dataclass
from typing import Literal

from madang.ports.objects import Kind, Obj

Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, slots=True)
class Create:
    """Make `obj` (namespace and name inside). AlreadyExists is a success. `then` follows once it is made;
    `otherwise` when the API refuses it, with `{error}` in an Emit's message replaced by the refusal."""

    kind: Kind
    obj: Obj
    then: tuple["Emit", ...] = ()
    otherwise: tuple["Emit | Patch", ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """A JSON merge patch on one object. With `uid`, only on that incarnation; with `revision`, only on that state
    (a conflict makes the key be decided again)."""

    kind: Kind
    namespace: str
    name: str
    patch: Obj
    subresource: str = ""
    uid: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Replace:
    """A PUT of the whole object or subresource; its own resourceVersion makes it conditional."""

    kind: Kind
    obj: Obj
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    kind: Kind
    namespace: str
    name: str
    uid: str | None = None
    propagation: Propagation | None = None
    grace_s: int | None = None
    then: tuple["Emit", ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """Give a pod its node (the binding subresource). Refused, and decided again, when the pod is bound already."""

    namespace: str
    name: str
    uid: str
    node: str


@dataclass(frozen=True, slots=True)
class Emit:
    """An Event about an object. Equal events are merged and counted by the hand."""

    kind: Kind
    about: Obj
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    field_path: str = ""
    related: Obj | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """Decide this key again after so many seconds, whatever else happens."""

    after_s: float


Action = Create | Patch | Replace | Delete | Bind | Emit | Wake
