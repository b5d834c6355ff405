"""A small house of names: Services of each kind, and their endpoints."""

from typing import Any

from madang.dns.answer import Zone, reverse
from madang.ports.objects import Obj
from tests.view import House

HERE, RANGES = "10.200.0.1", ("10.200.0.0/20", "10.200.16.0/20")


def house() -> House:
    made = House()
    made.add("namespaces", {"metadata": {"name": "shop"}})
    web = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    service(made, "cart", clusterIP="10.200.16.5", ports=web)
    service(made, "db", clusterIP="None", ports=[{"name": "sql", "port": 1}])
    service(made, "idle", clusterIP="None")
    service(made, "eager", clusterIP="None", publishNotReadyAddresses=True)
    service(made, "out", type="ExternalName", externalName="Example.COM")
    service(made, "near", type="ExternalName", externalName="cart.shop.svc.cluster.local")
    service(made, "far", type="ExternalName", externalName="near.shop.svc.cluster.local")
    service(made, "ring", type="ExternalName", externalName="ring.shop.svc.cluster.local")
    ready = [endpoint("10.200.0.2", hostname="db-0"), endpoint("10.200.0.3"), endpoint("10.200.0.4", ready=False)]
    endpoints(made, "db", ready, [{"name": "sql", "port": 5432, "protocol": "TCP"}])
    endpoints(made, "idle", [endpoint("10.200.0.4", ready=False)])
    endpoints(made, "eager", [endpoint("10.200.0.4", ready=False)])
    return made


def service(made: House, name: str, **spec: Any) -> None:
    made.add("services", {"metadata": {"name": name, "namespace": "shop"}, "spec": spec})


def endpoint(ip: str, *, ready: bool = True, **more: str) -> Obj:
    return {"addresses": [ip], "conditions": {"ready": ready}, **more}


def endpoints(made: House, name: str, rows: list[Obj], ports: list[Obj] | None = None) -> None:
    labels = {"kubernetes.io/service-name": name}
    body = {"addressType": "IPv4", "endpoints": rows, "ports": ports or []}
    made.add(
        "endpointslices.discovery.k8s.io", {"metadata": {"name": name, "namespace": "shop", "labels": labels}, **body}
    )


def zone(made: House | None = None) -> Zone:
    made = made or house()
    return Zone(made, HERE, RANGES, reverse(made))
