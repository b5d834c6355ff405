"""What only the running courtyard knows of its machine, and what that changes in the objects of a Compose file.

In: the API (the first Service address and the nodes tell the network), wanted objects. Out: objects fit for it. Without
addresses of their own (loopback) programs need the variables that lead to Services; with them, such variables would
only be in the way: a program of the Compose world may read REDIS_PORT as a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from madang.app.application import SERVICE
from madang.ports.api import Api
from madang.ports.errors import NotFound
from madang.ports.objects import Obj

HOST_GATEWAY = "host-gateway"  # stands where an address belongs until the machine's own is known
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Machine:
    """`gateway` is where pods reach the machine itself."""

    loopback: bool
    gateway: str = "127.0.0.1"


async def machine(api: Api, objects: Sequence[Obj]) -> Machine:
    try:
        first = await api.get("services", "default", "kubernetes")
    except NotFound:
        return Machine(loopback=True)
    loopback = str(first["spec"].get("clusterIP", "")).startswith("127.")
    if loopback or not any(wants_gateway(o) for o in objects):
        return Machine(loopback)
    async for change in api.watch("nodes", timeout_s=PATIENCE_S):  # a courtyard that has just started has none yet
        for address in change.entry.obj.get("status", {}).get("addresses") or () if change.type != "BOOKMARK" else ():
            if address["type"] == "InternalIP":
                return Machine(loopback, address["address"])
    return Machine(loopback)


def wants_gateway(obj: Obj) -> bool:
    return any(alias["ip"] == HOST_GATEWAY for alias in pod_spec(obj).get("hostAliases") or ())


def fit(obj: Obj, here: Machine) -> Obj:
    """Pure."""
    spec = pod_spec(obj)
    if not spec or SERVICE not in obj["metadata"].get("labels", {}):
        return obj
    changed = {**spec}
    if not here.loopback:
        changed["enableServiceLinks"] = False
    if wants_gateway(obj):
        changed["hostAliases"] = [
            {**alias, "ip": here.gateway} if alias["ip"] == HOST_GATEWAY else alias for alias in spec["hostAliases"]
        ]
    template = {**obj["spec"]["template"], "spec": changed}
    return {**obj, "spec": {**obj["spec"], "template": template}}


def pod_spec(obj: Obj) -> Obj:
    if obj["kind"] not in ("Deployment", "Job"):
        return {}
    found: Obj = obj["spec"].get("template", {}).get("spec") or {}
    return found
