"""One step of a rolling update: the new ReplicaSet up as far as the surge allows, else old ones down as far as
availability allows.

In: the Deployment, its new and old ReplicaSets. Out: the sizes to set; empty when there is no step to take now
(kubernetes deployment/rolling.go).
"""

from collections.abc import Sequence

from madang.control.deployment import numbers
from madang.control.deployment.revisions import by_age
from madang.control.deployment.scaling import scaled
from madang.ports.actions import Action
from madang.ports.objects import Obj


def step(d: Obj, new: Obj, old: Sequence[Obj]) -> list[Action]:
    return grow(d, new, old) or shrink(d, new, old)


def grow(d: Obj, new: Obj, old: Sequence[Obj]) -> list[Action]:
    size = numbers.replicas(new)
    if size == numbers.replicas(d):
        return []
    if size > numbers.replicas(d):
        return scaled(d, new, numbers.replicas(d))
    target = numbers.new_set_size(d, [*old, new], size)
    return scaled(d, new, target) if target != size else []


def shrink(d: Obj, new: Obj, old: Sequence[Obj]) -> list[Action]:
    if numbers.wanted(old) == 0:
        return []
    floor = numbers.replicas(d) - numbers.max_unavailable(d)
    new_unavailable = numbers.replicas(new) - numbers.counted([new], "availableReplicas")
    room = numbers.wanted([*old, new]) - floor - new_unavailable
    if room <= 0:
        return []
    sizes = {rs["metadata"]["name"]: numbers.replicas(rs) for rs in old}
    spare(old, sizes, room)
    release(old, sizes, numbers.lasting([*old, new]) - floor)
    return [action for rs in by_age(old) if sizes[rs["metadata"]["name"]] != numbers.replicas(rs)
            for action in scaled(d, rs, sizes[rs["metadata"]["name"]])]  # fmt: skip


def spare(old: Sequence[Obj], sizes: dict[str, int], room: int) -> None:
    """Old pods that aren't available go first: nobody misses them."""
    for rs in by_age(old):
        name = rs["metadata"]["name"]
        gone = min(room, sizes[name] - numbers.counted([rs], "availableReplicas"))
        if gone > 0:
            sizes[name] -= gone
            room -= gone


def release(old: Sequence[Obj], sizes: dict[str, int], spare_available: int) -> None:
    for rs in by_age(old):
        name = rs["metadata"]["name"]
        gone = min(sizes[name], spare_available)
        if gone > 0:
            sizes[name] -= gone
            spare_available -= gone
