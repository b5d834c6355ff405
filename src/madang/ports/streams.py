"""Streams and samples: what flows past the store. Who can be asked, and the shape of what comes.

`node` provides them; `courtyard` hands them to `wire` (log, exec, attach, port-forward, metrics), to the autoscaler's
loop (samples) and to the node lifecycle's (liveness). Refusals are `StatusError`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogOptions:
    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since_s: float | None = None
    since_time: str = ""
    limit_bytes: int | None = None
    stream: str = "All"  # All, Stdout, Stderr


@dataclass(frozen=True, slots=True)
class ExecOptions:
    container: str = ""
    command: Sequence[str] = ()
    stdin: bool = False
    tty: bool = False
    env: Sequence[tuple[str, str]] = ()


class Process(Protocol):
    """A running exec or attach session. Reading ends at None. `wait` gives the exit code (128 + signal if killed)."""

    async def read(self) -> tuple[int, bytes] | None:
        """(1 for stdout or 2 for stderr, bytes)."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def close_stdin(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int: ...

    async def close(self) -> None:
        """Ends the session; an exec'd program is killed."""
        ...


class Connection(Protocol):
    """One forwarded connection into a pod."""

    async def read(self) -> bytes: ...

    async def write(self, data: bytes) -> None: ...

    async def close_write(self) -> None:
        """Nothing more will be written; what the pod still has to say is read as before."""
        ...

    async def close(self) -> None: ...


class PodStreams(Protocol):
    def logs(self, namespace: str, pod: str, options: LogOptions) -> AsyncIterator[bytes]: ...

    async def exec(self, namespace: str, pod: str, options: ExecOptions) -> Process: ...

    async def attach(self, namespace: str, pod: str, options: ExecOptions) -> Process: ...

    async def forward(self, namespace: str, pod: str, port: int) -> Connection: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container or node used in the window that ended at `at_s` (epoch seconds)."""

    at_s: float
    window_s: float
    cpu_cores: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PodUsage:
    namespace: str
    pod: str
    containers: dict[str, Usage]


class Samples(Protocol):
    """The newest one-second samples."""

    def pod(self, namespace: str, name: str) -> PodUsage | None: ...

    def pods(self, namespace: str | None = None) -> Sequence[PodUsage]: ...

    def node(self, name: str) -> Usage | None: ...


@dataclass(frozen=True, slots=True)
class StackLayer:
    """`group` is base, operating system, runtime or application; `step` what made it."""

    diff_id: str
    group: str
    size_bytes: int
    step: str


@dataclass(frozen=True, slots=True)
class Stack:
    """An image as people think of it: its layers, the lowest first. `id` is what a pod's `imageID` says."""

    id: str
    digest: str
    names: tuple[str, ...]
    layers: tuple[StackLayer, ...]

    @property
    def size_bytes(self) -> int:
        return sum(layer.size_bytes for layer in self.layers)


class Stacks(Protocol):
    async def stacks(self) -> Sequence[Stack]:
        """All images that are here. Nobody else waits for the disk meanwhile."""
        ...


class Liveness(Protocol):
    """Whether the agents of this house's nodes answer. It is asked anew all the time, and never stored."""

    def silent(self, node: str) -> bool | None:
        """True once an agent has not answered several times in a row; None for a node that has no agent here."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """All nodes' names first, then each that falls silent or answers again. Ends with its reader."""
        ...
