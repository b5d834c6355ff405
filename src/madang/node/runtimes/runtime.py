"""The runtime port: what a pod worker may ask for, in values.

In: a `Launch` (everything decided: argv, environment, mounts, network, where logs go). Out: what runs and how it
ended. A runtime keeps nothing in memory that it cannot find again: each container has a folder with its state,
written by its monitor by write-and-rename, so that a new control process adopts what runs.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from madang.ports.streams import ExecOptions, Process


@dataclass(frozen=True, slots=True)
class Mount:
    """`source` (a folder or a single file) appears at `target` inside. Where the machine allows no private mounts,
    a target outside the pod's own folder cannot be honoured: `Runtime.refuses` says so before anything is started.

    `tmpfs`: a memory file system of this container alone; `source` is not read. What containers share in memory
    (emptyDir with medium Memory) is a folder in /dev/shm, mounted like any other.
    """

    source: Path
    target: str
    read_only: bool = False
    tmpfs: bool = False
    size_bytes: int | None = None  # of a tmpfs
    within: Path | None = None  # the volume that `source` lies in, where programs may change the way to it


@dataclass(frozen=True, slots=True)
class Container:
    """What a container runtime needs besides the launch: the unpacked layers of its image, the newest first, and the
    document (`config.json`) that says everything else. `ipc`: a file by which the containers of a pod find each
    other's IPC namespace; without it each has its own."""

    layers: Sequence[Path]
    config: Mapping[str, Any]
    ipc: Path | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of one container. `id` is unique for each start (pod uid, container, attempt)."""

    id: str
    folder: Path  # of this start: monitor state, exit record
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log: Path  # lines in CRI form: TIME stdout|stderr F|P TEXT
    log_max_bytes: int = 10 * 1024 * 1024
    log_files: int = 5
    mounts: Sequence[Mount] = ()
    hostname: str = ""
    netns: str = ""  # path of the pod's network namespace; empty: the machine's own
    user: str = ""  # uid[:gid] or name; empty: ours
    groups: Sequence[int] = ()
    stdin: bool = False  # written to by whoever attaches: the FIFO `stdin` in `folder`
    stdin_once: bool = False  # its end is the end of input
    tty: bool = False
    cpu_millis: int | None = None  # limits
    memory_bytes: int | None = None
    stop_signal: str = "SIGTERM"
    container: Container | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ended. `code` is the exit status, or 128 + `signal`. `reason` is Completed, Error, OOMKilled,
    or StartError with the `message` of why it could not start (code 128, as containerd says)."""

    code: int
    signal: int
    started_at_s: float
    finished_at_s: float
    reason: Literal["Completed", "Error", "OOMKilled", "StartError", "ContainerStatusUnknown"]
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A started container. `pid` and `started_ticks` (/proc/PID/stat field 22) together name one process.

    `failed` is set when the program could not be exec'd at all: `wait` gives the same Exit at once.
    """

    id: str
    pid: int
    started_ticks: int
    started_at_s: float
    failed: Exit | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Totals since the start: CPU time, and memory now (working set)."""

    cpu_ns: int
    memory_bytes: int
    pids: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Ability:
    """Whether a runtime or network can work here; `why_not` is what `madang status` shows."""

    name: str
    works: bool
    why_not: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class SignalRefused(PermissionError):
    """A program takes no signal from us, since it has become another user; the text says which, and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(1, text)

    def __str__(self) -> str:
        return str(self.strerror)


@runtime_checkable
class Limited(Protocol):
    """A runtime some of whose limits may not hold on this machine."""

    def unheld(self, launch: Launch) -> str: ...


class Runtime(Protocol):
    name: str

    async def probe(self) -> Ability: ...

    @property
    def private_mounts(self) -> bool:
        """Whether a container sees its mounts where the launch says. Known once `probe` has run."""
        ...

    def refuses(self, launch: Launch) -> str:
        """Why this launch cannot be honoured on this machine; empty when it can."""
        ...

    async def start(self, launch: Launch) -> Running:
        """Done when the program has been exec'd. A program that cannot be exec'd ends as Exit(reason=StartError),
        which `Running.failed` already holds. OSError: this machine could not even try (no process, no disk)."""
        ...

    def adopt(self, folder: Path) -> Running | Exit | None:
        """What became of the start that wrote `folder`; None: it never got as far as running."""
        ...

    async def wait(self, running: Running, folder: Path) -> Exit: ...

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        """To the program (`group`: and to its process group). A gone process is a success. Raises SignalRefused."""
        ...

    async def kill(self, running: Running) -> None:
        """SIGKILL to everything that the container started. Raises SignalRefused: the container then counts as ended
        (its Exit says so), whatever goes on running."""
        ...

    async def remove(self, folder: Path) -> None:
        """Forget a start that has ended: mounts, monitor state."""
        ...

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Process: ...

    def sample(self, running: Running) -> Sample | None: ...

    def logs(
        self, log: Path, *, until: "asyncio.Future[Any] | None" = None, tail: int | None = None, stream: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """Chunks of whole CRI lines. With `until`, followed until that is done; with `tail`, only so many lines (of
        one stream, where it is named) of what is there already."""
        ...
