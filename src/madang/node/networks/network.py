"""The network port: an address for each pod, and how to reach it.

In: a pod's uid and name. Out: an `Attachment`. Everything machine-wide that a network makes carries the courtyard's
id, can be found again after a crash, and is swept when its courtyard is dead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from madang.node.runtimes.runtime import Ability


@dataclass(frozen=True, slots=True)
class Attachment:
    """`netns` is the path of the pod's own network namespace, empty on loopback."""

    ip: str
    netns: str = ""


class Network(Protocol):
    """`recovered`: the pods (uids) whose addresses `start` had to find again, since their record was damaged."""

    name: str
    recovered: Sequence[str]

    async def probe(self) -> Ability: ...

    async def start(self) -> None:
        """Make what all pods share (bridge, routes); sweep what a dead courtyard left behind."""
        ...

    async def attach(self, uid: str, hostname: str, node: int = 1) -> Attachment:
        """`node`: which of the courtyard's nodes the pod is on, from 1."""
        ...

    async def detach(self, uid: str) -> None:
        """Gone is a success."""
        ...

    def attached(self) -> Mapping[str, Attachment]:
        """By pod uid: what is there, found again after a restart."""
        ...

    def listening(self, attachment: Attachment, port: int, pids: Sequence[int]) -> bool:
        """Whether one of these processes listens where the pod's port should be."""
        ...

    def explain(self, attachment: Attachment, port: int, pids: Sequence[int]) -> str:
        """Why nothing of these processes answers at the pod's address and port, though they may listen elsewhere:
        a sentence for an event. Empty: it does answer, or nothing listens yet."""
        ...

    def resolver(self, home: Path) -> Path | None:
        """The resolv.conf to mount into pods; None: the machine's own stays."""
        ...

    async def stop(self) -> None:
        """Take down everything that `start` and `attach` made."""
        ...
