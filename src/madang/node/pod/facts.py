"""What a pod worker knows about its pod beyond the object: the ground on which everything is decided.

The worker alone changes these; `decide` and `status` only read them. Two clocks: `wall_s` is what is written into
objects, `steady_s` never jumps and counts delays.
"""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Literal, NamedTuple

from madang.node.runtimes.runtime import Exit, Running


class Now(NamedTuple):
    wall_s: float
    steady_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be started now, in the API's words, and when it is tried again."""

    reason: str
    message: str
    retry_at_s: float  # steady
    tries: int = 1


Hook = Literal["none", "running", "done"]


@dataclass(frozen=True, slots=True)
class Stop:
    """A container on its way down: hook, then its stop signal (not before `signal_at_s`, which is put off while
    traffic is led to it, until `signal_by_s`), then, at `deadline_s`, SIGKILL."""

    signal_at_s: float
    deadline_s: float
    signal_by_s: float = 0.0
    led: bool = False  # traffic still is, as of the last look
    hook: Hook = "none"
    signalled: bool = False
    killed: bool = False
    replaces: bool = False  # it is started again, from another image, whatever the restart policy


@dataclass(slots=True)
class Container:
    """`attempt` is the number of the newest start that came about, `exit` how it ended, `last` how the one before
    did."""

    attempt: int = -1
    starting: bool = False
    pulling: bool = False  # that start still waits for its image
    running: Running | None = None
    exit: Exit | None = None
    last: Exit | None = None
    image: str = ""
    image_id: str = ""  # what the image's name stood for
    started: bool = False  # its startup probe has passed, its postStart is done
    ready: bool = False
    ready_since_s: float | None = None  # steady; None when never ready in this run
    unhealthy: str = ""  # `liveness` or `startup`: that probe wants it restarted
    short_runs: int = 0  # in a row, none of them ready for long
    ended_at_s: float = 0.0  # steady
    refusal: Refusal | None = None
    stop: Stop | None = None
    backing_off: bool = False  # the status says CrashLoopBackOff

    @property
    def replaced(self) -> bool:
        """Stopped to run from another image, which does not run yet."""
        return self.stop is not None and self.stop.replaces and self.exit is not None

    @property
    def alive(self) -> bool:
        return self.starting or self.running is not None


EVICTED = "Evicted"


class Doom(NamedTuple):
    """Why the node itself has a pod fail, in the words of its status: its deadline has passed, the machine has run out
    of something, or it asks for what no pod may have."""

    reason: str
    message: str


Sandbox = Literal["none", "preparing", "ready", "releasing", "released"]


@dataclass(slots=True)
class Facts:
    """`leaving`: the courtyard goes down, and the pod with it, but its object stays. `removed`: its object is gone.
    `served`: traffic may come to it through a Service."""

    sandbox: Sandbox = "none"
    ip: str = ""
    refusal: Refusal | None = None  # of the sandbox
    containers: dict[str, Container] = field(default_factory=dict)
    started_at_s: float = 0.0  # wall: status.startTime
    leaving: bool = False
    removed: bool = False
    doom: Doom | None = None
    served: bool = False
    finishing: bool = False  # the last status is being written
    finished: bool = False  # nothing is left to do for this pod

    @property
    def evicted(self) -> str:
        """What the machine ran out of, where the pod goes for that."""
        return self.doom.message if self.doom is not None and self.doom.reason == EVICTED else ""

    def of(self, name: str) -> Container:
        found = self.containers.get(name)
        if found is None:
            found = self.containers[name] = Container()
        return found


_of_container = attrgetter(*(f.name for f in fields(Container)))
_of_pod = attrgetter(*(f.name for f in fields(Facts) if f.name != "containers"))


def impression(facts: Facts) -> tuple[object, ...]:
    """All of it in one value: two that are equal were made from the same facts."""
    return (_of_pod(facts), *((name, *_of_container(c)) for name, c in facts.containers.items()))
