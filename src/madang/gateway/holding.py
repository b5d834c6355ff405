"""Who keeps an address that several Services want: who serves there now, and among those that come at once the oldest.

In: the Services, what each wants, what is served now. Out: the order in which they are asked. An edit of an old Service
thus takes nothing from a newer one. Where nothing is served yet (the control has just begun) the statuses tell who
did: a published Service names its address there, and beside it the ports that it did not get.
"""

from collections.abc import Callable, Mapping, Sequence

from madang.gateway.desired import Bind, Desired, Owner
from madang.gateway.listeners import age
from madang.gateway.services import SERVICES, Carried
from madang.ports.objects import Obj, ref

Rank = tuple[bool, tuple[str, str, str]]
Ranks = Mapping[Owner, Callable[[Bind], Rank]]


def ranks(services: Sequence[Obj], carried: Sequence[Carried], held: Desired | None, pods: Sequence[Obj] = ()) -> Ranks:
    """Of each owner: the rank of one of its binds; the least is served. `pods`: those with host ports, whose statuses
    name none."""
    now = None if held is None else {bind.name: bind.owner for bind in held.binds()}

    def of(service: Obj) -> Callable[[Bind], Rank]:
        since, shown = age(service), _shown(service)
        if now is None:
            return lambda bind: (bind.port not in shown, since)
        return lambda bind: (now.get(bind.name) != bind.owner, since)

    found = {Owner(SERVICES, *ref(service)): of(service) for service in services}
    return found | {Owner("pods", *ref(pod)): of(pod) for pod in pods}


def _shown(service: Obj) -> set[int]:
    """The published ports that were open by the status: all of them, or those that are named without an error."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if not ingress:
        return set()
    if named := ingress[0].get("ports"):
        return {p["port"] for p in named if not p.get("error")}
    return {p["port"] for p in service["spec"].get("ports") or ()}
