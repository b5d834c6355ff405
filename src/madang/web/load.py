"""From counts to rates: who is asked how often, by whom, and what each service uses. Pure.

In: two `Flow`s of one worker and the seconds between them, samples, facts. Out: a `Load` by service. The gateway knows
addresses; which service's instance an address belongs to stands in the facts.
"""

from collections.abc import Iterable, Mapping

from madang.ports.streams import PodUsage
from madang.ports.traffic import Flow
from madang.web.application import OUTSIDE, Load, Place, Rate
from madang.web.facts import Snapshot
from madang.web.lamps import outward

SMOOTH = 0.5  # how much of a rate is the newest second's


def load(
    s: Snapshot, before: Flow | None, after: Flow | None, seconds: float, last: Load, samples: Iterable[PodUsage]
) -> Load:
    taken = list(samples)
    uses, held = used(s, taken), each(taken)
    if after is None:
        return Load(uses=uses, held=held)
    reference = before if before is not None and before.worker == after.worker and seconds > 0 else after
    per = seconds if reference is before else 1.0
    old, new = counted(s, reference), counted(s, after)
    earlier, now = asked(s, reference, old), asked(s, after, new)
    rates = {place: rate(old.get(place, ZERO), count, per, last.rates.get(place)) for place, count in new.items()}
    calls = {link: rate(earlier.get(link, ZERO), count, per, last.calls.get(link)) for link, count in now.items()}
    forgotten = {link: Rate(seen=True) for link in last.calls if link not in calls}
    return Load(rates, forgotten | {link: found for link, found in calls.items() if found.seen}, uses, held)


Count = tuple[int, int, int]  # requests, errors, milliseconds
ZERO: Count = (0, 0, 0)


def rate(old: Count, new: Count, seconds: float, last: Rate | None) -> Rate:
    requests, errors = max(0, new[0] - old[0]) / seconds, max(0, new[1] - old[1]) / seconds
    if last is not None:
        requests = SMOOTH * requests + (1 - SMOOTH) * last.requests
        errors = SMOOTH * errors + (1 - SMOOTH) * last.errors
    requests, errors = (0.0 if v < 0.05 else round(v, 1) for v in (requests, errors))
    return Rate(requests, errors, new[2], new[0] > 0 or bool(last and last.seen))


def counted(s: Snapshot, flow: Flow) -> dict[Place, Count]:
    """By workload: a Service and the one that publishes it lead to the same."""
    leads = {(a.namespace, a.name): (a.namespace, a.service) for a in s.addresses}
    found: dict[Place, Count] = {}
    for one in flow.served:
        place = leads.get((one.namespace, one.service))
        if place is not None:
            requests, errors, ms = found.get(place, ZERO)
            found[place] = requests + one.requests, errors + one.errors, max(ms, one.response_ms)
    return found


def asked(s: Snapshot, flow: Flow, totals: Mapping[Place, Count]) -> dict[tuple[Place, Place], Count]:
    """Who called. What came by the front door is what a service was asked beyond what its own addresses saw. On the
    loopback network all programs call from one address, so that strangers cannot be told from them; an address that
    nobody has may be an instance that is gone, so that only what is reached from outside has strangers."""
    leads = {(a.namespace, a.name): (a.namespace, a.service) for a in s.addresses}
    owner = {i.address: (i.namespace, i.service) for i in s.instances if i.address}
    public = outward(s) if s.machine.network != "loopback" else set()
    found: dict[tuple[Place, Place], Count] = {}
    heard: dict[Place, int] = {}
    for call in flow.calls:
        target = leads.get((call.namespace, call.service))
        if target is None:
            continue
        heard[target] = heard.get(target, 0) + call.requests
        source = owner.get(call.source, OUTSIDE)
        if source != OUTSIDE or target in public:
            add(found, (source, target), call.requests, call.errors)
    for target in public:
        by_door = totals.get(target, ZERO)[0] - heard.get(target, 0)
        if by_door > 0:
            add(found, (OUTSIDE, target), by_door, 0)
    return found


def add(found: dict[tuple[Place, Place], Count], key: tuple[Place, Place], requests: int, errors: int) -> None:
    had = found.get(key, ZERO)
    found[key] = had[0] + requests, had[1] + errors, 0


def each(samples: Iterable[PodUsage]) -> dict[tuple[str, str, str], tuple[float, int]]:
    """By namespace, pod and container."""
    return {
        (one.namespace, one.pod, name): (usage.cpu_cores, usage.memory_bytes)
        for one in samples
        for name, usage in one.containers.items()
    }


def used(s: Snapshot, samples: Iterable[PodUsage]) -> dict[Place, tuple[float, int]]:
    services = {(i.namespace, i.name): i.service for i in s.instances}
    found: dict[Place, tuple[float, int]] = {}
    for one in samples:
        service = services.get((one.namespace, one.pod))
        if service is None:
            continue
        cores, memory = found.get((one.namespace, service), (0.0, 0))
        each = one.containers.values()
        found[one.namespace, service] = (
            cores + sum(u.cpu_cores for u in each),
            memory + sum(u.memory_bytes for u in each),
        )
    return found
