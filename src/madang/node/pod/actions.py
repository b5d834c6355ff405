"""What a pod's decision wants done: values that a test compares; `node.worker.hand` carries them out."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make the pod's volumes and network."""


@dataclass(frozen=True, slots=True)
class Start:
    container: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Wait no longer for the image of `container`."""

    container: str


@dataclass(frozen=True, slots=True)
class BackOff:
    """Say that `container` waits before it is started again."""

    container: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class BeginStop:
    """From now on `container` is going down. `message` is the event's text. `replaces`: another takes its place."""

    container: str
    signal_at_s: float
    deadline_s: float
    message: str
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class ShortenStop:
    container: str
    deadline_s: float


@dataclass(frozen=True, slots=True)
class RunPreStop:
    container: str


@dataclass(frozen=True, slots=True)
class Signal:
    container: str


@dataclass(frozen=True, slots=True)
class Kill:
    container: str


@dataclass(frozen=True, slots=True)
class Expire:
    """activeDeadlineSeconds have passed."""


@dataclass(frozen=True, slots=True)
class Release:
    """Give back network and volumes; nothing runs any more."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the last status, and let the object go where it waits for that."""

    how: Literal["status", "delete", "forget", "leave"]


@dataclass(frozen=True, slots=True)
class WakeAt:
    at_s: float  # steady


Action = (
    Prepare
    | Start
    | Abandon
    | BackOff
    | BeginStop
    | ShortenStop
    | RunPreStop
    | Signal
    | Kill
    | Expire
    | Release
    | Finish
    | WakeAt
)
