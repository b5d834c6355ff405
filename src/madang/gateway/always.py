"""What stands at the door from the first second: the GatewayClass `madang` and the Gateway `madang`.

In: the API. Out: both objects, if they were missing. The front door's port is chosen free when the Gateway is made,
and kept: it stands in the Gateway's spec, where a user may change it. One that we chose (an annotation tells) and
that somebody else has at a later start is chosen anew; one that a user wrote is refused with the holder's name.
"""

from collections.abc import Callable

from madang.gateway.listeners import CLASSES, CONTROLLER, GATEWAYS, GROUP
from madang.porch import standing
from madang.ports.api import Api
from madang.ports.errors import AlreadyExists
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN, Settings

NAMESPACE, NAME = "kube-system", "madang"
CHOSEN = f"{DOMAIN}/port-chosen"
USUAL_PORTS = range(7080, 7100)  # applications publish 8080, 8000, 3000 themselves


async def ensure(api: Api, settings: Settings, choose: Callable[[str], int] | None = None) -> None:
    """`choose` gives the front door's port where there is none yet; without it, one that is free here."""
    for kind, obj in ((CLASSES, gateway_class()), (GATEWAYS, gateway((choose or free_port)(settings.listen)))):
        try:
            await api.create(kind, obj, namespace=obj["metadata"].get("namespace", ""))
        except AlreadyExists:
            continue


def chosen_by_us(found: Obj) -> bool:
    ports = [listener["port"] for listener in found["spec"].get("listeners") or ()]
    return [str(port) for port in ports] == [(found["metadata"].get("annotations") or {}).get(CHOSEN)]


async def choose_anew(api: Api, settings: Settings) -> None:
    made = gateway(free_port(settings.listen))
    patch = {"metadata": {"annotations": made["metadata"]["annotations"]}, "spec": made["spec"]}
    await api.patch(GATEWAYS, NAMESPACE, NAME, patch)


def gateway_class() -> Obj:
    spec = {"controllerName": CONTROLLER, "description": "HTTP routes through this courtyard's HAProxy"}
    return {"apiVersion": f"{GROUP}/v1", "kind": "GatewayClass", "metadata": {"name": NAME}, "spec": spec}


def gateway(port: int) -> Obj:
    listener = {
        "name": "http",
        "port": port,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Gateway",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "annotations": {CHOSEN: str(port)}},
        "spec": {"gatewayClassName": NAME, "listeners": [listener]},
    }


def free_port(host: str) -> int:
    """A usual one if any is free, else one that the system gives."""
    for port in (*USUAL_PORTS, 0):
        try:
            with standing.listen(host, port, backlog=1) as held:
                return int(held.getsockname()[1])
        except OSError:
            continue
    return USUAL_PORTS.start
