"""The port through which a step's program runs, whatever runs it.

In: an `Order`: what to run, as whom, where, and what it sees besides the root. Out: its exit code; what it writes is
handed to `say` line by line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from madang.node.runtimes.oci.users import Who

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bind:
    """`source` stands at `target`; without a source it is an empty memory file system of `size_bytes` (0: no bound)."""

    target: str
    source: Path | None = None
    readonly: bool = False
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    workdir: str
    who: Who
    binds: tuple[Bind, ...] = ()
    network: bool = True


class Unable(Exception):
    """This machine can't run a step's program: the message says why."""


class Runner(Protocol):
    async def run(self, root: Path, order: Order, work: Path, say: Say) -> int:
        """`root` is the merged root, `work` a folder of one's own. If the wait is cancelled the program is ended.
        Raises `Unable`."""
        ...

    def sweep(self) -> None:
        """What killed ones left; called while no other build with this cache runs."""
        ...
