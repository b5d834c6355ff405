"""What stands at the door from the first second: the GatewayClass `madang` and the Gateway `madang`.

In: the API. Out: both objects, if they were missing. The front door's port is chosen free when the Gateway is made,
and kept: it stands in the Gateway's spec, where a user may change it.
"""

import socket

from madang.gateway.listeners import CLASSES, CONTROLLER, GATEWAYS, GROUP
from madang.ports.api import Api
from madang.ports.errors import AlreadyExists
from madang.ports.objects import Obj
from madang.ports.settings import Settings

NAMESPACE, NAME = "kube-system", "madang"
USUAL_PORTS = range(7080, 7100)  # applications publish 8080, 8000, 3000 themselves


async def ensure(api: Api, settings: Settings) -> None:
    for kind, obj in ((CLASSES, gateway_class()), (GATEWAYS, gateway(free_port(settings.listen)))):
        try:
            await api.create(kind, obj, namespace=obj["metadata"].get("namespace", ""))
        except AlreadyExists:
            continue


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
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"gatewayClassName": NAME, "listeners": [listener]},
    }


def free_port(host: str) -> int:
    """A usual one if any is free, else one that the system gives."""
    for port in (*USUAL_PORTS, 0):
        try:
            with socket.create_server((host, port), backlog=1) as held:
                return int(held.getsockname()[1])
        except OSError:
            continue
    return USUAL_PORTS.start
