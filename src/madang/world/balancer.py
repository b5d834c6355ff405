"""The make-believe HAProxy: what the gateway's decisions have made of it, and who gets traffic just now.

In: `Desired`, through the port that the gateway's loop has for its hand. Out: `running`, and a call to `changed` with
each that is in force. It outlives every control process and serves on meanwhile.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from madang.gateway.desired import Desired, Server
from madang.gateway.difference import same_structure
from madang.gateway.hand import Outcome
from madang.world.clock import WorldClock


class Balancer:
    """One for the whole world."""

    def __init__(self, clock: WorldClock, chance: random.Random) -> None:
        self.clock, self.chance = clock, chance
        self.running = Desired()
        self.changed: Callable[[], None] = lambda: None

    def servers(self) -> Iterator[tuple[str, tuple[Server, ...]]]:
        """Each backend's instances."""
        for backend in self.running.backends:
            yield backend.name, backend.servers


class WorldHand:
    """The gateway's hand, of one life."""

    admin: Path | None = None
    worker_pid = 0

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self.on_trouble: Callable[[], None] = lambda: None

    async def apply(self, desired: Desired) -> Outcome:
        balancer = self._balancer
        if desired == balancer.running:
            return Outcome()
        live = same_structure(balancer.running, desired)
        await balancer.clock.sleep((0.0005 if live else 0.01) * (1 + balancer.chance.random()))
        balancer.running = desired
        balancer.changed()
        return Outcome(reloaded=not live)

    async def sweep(self) -> bool:
        return False

    async def stop(self, drain_s: float) -> None:
        self._balancer.running = Desired()

    async def leave(self) -> None: ...


def free_port(host: str) -> int:
    return 7080
