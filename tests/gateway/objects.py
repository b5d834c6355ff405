"""Short ways to write the objects that the gateway reads, and a view over them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from madang.ports.objects import Kind, Obj
from madang.ports.settings import Addresses, Settings

BRIDGE = Addresses("bridge", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.1")
LOOPBACK = Addresses("loopback", "127.9.0.0/17", "127.9.128.0/17", "127.9.0.1", port_base=23000, port_count=1000)


def settings(addresses: Addresses = BRIDGE, home: Path = Path("/nowhere"), listen: str = "127.0.0.1") -> Settings:
    return Settings("default", "abc", home, addresses, listen)


def service(name: str, *ports: Obj | int, namespace: str = "default", **spec: Any) -> Obj:
    annotations = spec.pop("annotations", {})
    listed = [{"port": p, "protocol": "TCP"} if isinstance(p, int) else {"protocol": "TCP", **p} for p in ports]
    return {
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"type": "ClusterIP", "clusterIP": "10.2.0.5", "ports": listed, **spec},
    }


def slices(name: str, *endpoints: Obj, port: int = 8000, port_name: str = "", namespace: str = "default") -> Obj:
    return {
        "metadata": {
            "name": f"{name}-1",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
        "endpoints": list(endpoints),
    }


def endpoint(address: str, pod: str = "web-1", ready: bool = True, **conditions: bool) -> Obj:
    return {
        "addresses": [address],
        "conditions": {"ready": ready, "serving": ready, "terminating": False, **conditions},
        "targetRef": {"kind": "Pod", "name": pod},
    }


def gateway_class(name: str = "madang", controller: str = "madang.dev/gateway") -> Obj:
    return {"metadata": {"name": name, "generation": 1}, "spec": {"controllerName": controller}}


def gateway(name: str = "madang", *listeners: Obj, namespace: str = "kube-system", **meta: Any) -> Obj:
    listed = listeners or ({"allowedRoutes": {"namespaces": {"from": "All"}}},)
    return {
        "metadata": {"name": name, "namespace": namespace, "generation": 1, **meta},
        "spec": {
            "gatewayClassName": "madang",
            "listeners": [{"name": f"http-{i}", "port": 8080, "protocol": "HTTP", **li} for i, li in enumerate(listed)],
        },
    }


def route(name: str, *rules: Obj, hosts: Sequence[str] = (), namespace: str = "default", **spec: Any) -> Obj:
    created = spec.pop("created", "2026-01-01T00:00:00Z")
    return {
        "metadata": {"name": name, "namespace": namespace, "generation": 1, "creationTimestamp": created},
        "spec": {
            "parentRefs": [{"name": "madang", "namespace": "kube-system"}],
            "hostnames": list(hosts),
            "rules": list(rules),
            **spec,
        },
    }


def rule(*backends: tuple[str, int] | Obj, **fields: Any) -> Obj:
    refs = [b if isinstance(b, dict) else {"name": b[0], "port": b[1]} for b in backends]
    return {"backendRefs": refs, **fields}


def path(value: str, kind: str = "PathPrefix", **more: Any) -> Obj:
    return {"path": {"type": kind, "value": value}, **more}


KINDS = {
    "services": "services",
    "slices": "endpointslices.discovery.k8s.io",
    "routes": "httproutes.gateway.networking.k8s.io",
    "gateways": "gateways.gateway.networking.k8s.io",
    "classes": "gatewayclasses.gateway.networking.k8s.io",
    "namespaces": "namespaces",
}


class FakeView:
    """A View over lists of objects given by a short name of their kind."""

    def __init__(self, **objects: Sequence[Obj]) -> None:
        self.objects: dict[Kind, list[Obj]] = {KINDS[k]: list(v) for k, v in objects.items()}

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        wanted = (namespace, name)
        found = (
            o
            for o in self.objects.get(kind, ())
            if (o["metadata"].get("namespace", ""), o["metadata"]["name"]) == wanted
        )
        return next(found, None)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        owner: str | None = None,
        node: str | None = None,
    ) -> Sequence[Obj]:
        assert (labels, owner, node) == (None, None, None)
        return [o for o in self.objects.get(kind, ()) if namespace in (None, o["metadata"].get("namespace", ""))]
