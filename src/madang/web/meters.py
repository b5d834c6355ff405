"""What each container uses against its limits. Pure.

In: a `Snapshot`, and the newest samples in a `Load`. Out: `Meters`, the whole content of one fragment of the page;
figures are as coarse as a person reads them, so that what stands still is not sent again.
"""

from dataclasses import dataclass
from math import ceil

from madang.web.application import Load
from madang.web.facts import HOUSE, Held, Instance, Snapshot

SHOWN = 24  # containers; the fullest, where there are more
FULL = 90  # per cent from which on a bar says that it is nearly full
MIB = 2**20
FINE, COARSE = 20, 10  # above so many thousandths of a core, tens are enough


@dataclass(frozen=True, slots=True)
class Meter:
    """`share` of `limit` in per cent; without a limit (0) there is no share."""

    used: int
    limit: int = 0

    @property
    def share(self) -> int:
        return round(100 * self.used / self.limit) if self.limit else 0

    @property
    def full(self) -> bool:
        return self.share >= FULL


@dataclass(frozen=True, slots=True)
class Gauge:
    """One container: cpu in thousandths of a core, memory in MiB. `container` is empty where the pod has only one."""

    namespace: str
    pod: str
    container: str
    cpu: Meter
    memory: Meter


@dataclass(frozen=True, slots=True)
class Meters:
    gauges: tuple[Gauge, ...] = ()
    more: int = 0


def meters(s: Snapshot, load: Load) -> Meters:
    """The fullest by tens of per cent, in the order of their names: a list that does not jump."""
    found = [
        gauge(one, held, load.held.get((one.namespace, one.name, held.name)))
        for one in s.instances
        if one.namespace not in HOUSE and not one.ended
        for held in one.containers
        if held.running
    ]
    fullest = sorted(found, key=lambda g: -(max(g.cpu.share, g.memory.share) // 10))[:SHOWN]
    shown = sorted(fullest, key=lambda g: (g.namespace, g.pod, g.container))
    return Meters(tuple(shown), len(found) - len(shown))


def gauge(one: Instance, held: Held, used: tuple[float, int] | None) -> Gauge:
    cores, memory = used or (0.0, 0)
    millis = round(1000 * cores)
    if millis > FINE:
        millis = round(millis / COARSE) * COARSE
    return Gauge(
        one.namespace,
        one.name,
        held.name if len(one.containers) > 1 else "",
        Meter(millis, held.cpu_millis),
        Meter(ceil(memory / MIB), ceil(held.memory_bytes / MIB)),
    )
