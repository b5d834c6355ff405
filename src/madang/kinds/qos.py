"""A pod's quality of service: how sure it is of what it asks for.

In: a pod's spec. Out: Guaranteed, Burstable or BestEffort.
"""

from collections.abc import Iterable, Mapping

from madang.kinds import quantity
from madang.ports.objects import Obj

_COUNTED = ("cpu", "memory")


def of(spec: Obj) -> str:
    if "resources" in spec:
        pools: list[Obj] = [spec["resources"] or {}]
    else:
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        pools = [container.get("resources") or {} for container in containers]
    requests, limits = _sum(pools, "requests"), _sum(pools, "limits")
    if not requests and not limits:
        return "BestEffort"
    every = all(_positive(pool.get("limits") or {}).keys() == set(_COUNTED) for pool in pools)
    same = requests.keys() == limits.keys() and all(limits[name] == amount for name, amount in requests.items())
    return "Guaranteed" if every and same else "Burstable"


def _positive(amounts: Mapping[str, str]) -> dict[str, int]:
    parsed = {name: quantity.parse(amounts[name]).nanos for name in _COUNTED if name in amounts}
    return {name: nanos for name, nanos in parsed.items() if nanos > 0}


def _sum(pools: Iterable[Obj], member: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for pool in pools:
        for name, nanos in _positive(pool.get(member) or {}).items():
            total[name] = total.get(name, 0) + nanos
    return total
