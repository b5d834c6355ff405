"""The make-believe network: addresses by number, open ports as the machine's programs say.

In: pods' uids, through the port `Network`. Out: attachments, which outlive every control process.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from madang.node.networks.network import Attachment
from madang.node.runtimes.runtime import Ability
from madang.world.clock import WorldClock
from madang.world.machine import Machine


class WorldNetwork:
    name = "bridge"
    recovered: Sequence[str] = ()

    def __init__(self, clock: WorldClock, machine: Machine, chance: random.Random, tally: Counter[str]) -> None:
        self._clock, self._machine, self._chance, self._tally = clock, machine, chance, tally
        self._attached: dict[str, Attachment] = {}
        self._last = 1

    async def probe(self) -> Ability:
        return Ability("bridge", True)

    async def start(self) -> None: ...

    async def attach(self, uid: str, hostname: str, node: int = 1) -> Attachment:
        await self._clock.sleep(0.001 + 0.004 * self._chance.random())
        if self._chance.random() < self._machine.moods.no_address:
            self._tally["no address"] += 1
            raise OSError(28, "No space left on device")
        self._last += 1
        found = self._attached.setdefault(uid, Attachment(f"10.244.{self._last // 250}.{self._last % 250 + 2}"))
        await self._clock.sleep(0.001)
        return found

    async def detach(self, uid: str) -> None:
        await self._clock.sleep(0.001)
        self._attached.pop(uid, None)

    def attached(self) -> Mapping[str, Attachment]:
        return dict(self._attached)

    def listening(self, attachment: Attachment, port: int, pids: Sequence[int]) -> bool:
        found = [self._machine.by_pid(pid) for pid in pids]
        return any(p is not None and self._machine.listens(p) for p in found)

    def explain(self, attachment: Attachment, port: int, pids: Sequence[int]) -> str:
        return ""

    def resolver(self, home: Path) -> Path | None:
        return None

    async def stop(self) -> None:
        self._attached.clear()
