"""Objects as the API holds them, in the little that the dashboard reads: for tests of facts, picture and pages."""

from typing import Any

from madang.ports.objects import Obj
from madang.web.picture import Picture, picture
from madang.web.reading import machine, read, snapshot

RECORD = {
    "name": "test",
    "machine": {"network": "bridge", "abilities": [{"name": "host", "works": True}, {"name": "bridge", "works": True}]},
}


def node(name: str = "node-1", ready: bool = True, **spec: Any) -> Obj:
    conditions = [{"type": "Ready", "status": "True" if ready else "Unknown"}]
    allocatable = {"cpu": "4", "memory": "8Gi"}
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"conditions": conditions, "allocatable": allocatable},
    }


def deployment(name: str, wanted: int = 1, ready: int | None = None, **template: Any) -> Obj:
    ready = wanted if ready is None else ready
    status = {"replicas": ready, "readyReplicas": ready, "updatedReplicas": ready, "observedGeneration": 1}
    return {
        "metadata": {"namespace": "shop", "name": name, "generation": 1},
        "spec": {"replicas": wanted, "template": template or {"spec": {"containers": [{"image": name}]}}},
        "status": status,
    }


def pod(name: str, service: str = "web", ready: bool = True, **status: Any) -> Obj:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    one = {"name": service, "restartCount": 0, "state": {"running": {}}}
    given = {"phase": "Running", "podIP": "10.0.0.1", "conditions": conditions, "containerStatuses": [one], **status}
    owner = {"kind": "ReplicaSet", "name": f"{service}-5d8f", "uid": f"rs-{service}", "controller": True}
    meta = {"namespace": "shop", "name": name, "labels": {"madang.dev/service": service}, "ownerReferences": [owner]}
    requests = {"cpu": "500m", "memory": "64Mi"}
    spec = {"nodeName": "node-1", "containers": [{"name": service, "resources": {"requests": requests}}]}
    return {"metadata": meta, "spec": spec, "status": given}


def crashing(name: str, service: str = "web", said: str = "no database\n") -> Obj:
    last = {"terminated": {"exitCode": 3, "message": said}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}}
    return pod(
        name,
        service,
        ready=False,
        containerStatuses=[{"name": service, "restartCount": 4, "state": waiting, "lastState": last}],
    )


def service(name: str, *, outside: int = 0, of: str = "") -> Obj:
    status: Obj = {}
    if outside:
        status = {"loadBalancer": {"ingress": [{"ip": "127.0.0.1", "ports": [{"port": outside}]}]}}
    return {
        "metadata": {"namespace": "shop", "name": name, "labels": {"madang.dev/service": of or name}},
        "spec": {"clusterIP": "10.1.0.9", "ports": [{"port": 8000}]},
        "status": status,
    }


def endpoints(name: str, count: int = 1) -> Obj:
    meta = {"namespace": "shop", "name": f"{name}-x1", "labels": {"kubernetes.io/service-name": name}}
    return {"metadata": meta, "endpoints": [{"conditions": {"ready": True}} for _ in range(count)]}


def front(serves: bool = True) -> Obj:
    return {
        "metadata": {"namespace": "kube-system", "name": "madang"},
        "spec": {"listeners": [{"port": 7080}]},
        "status": {
            "addresses": [{"value": "127.0.0.1"}],
            "conditions": [{"type": "Programmed", "status": "True" if serves else "False", "message": "port taken"}],
        },
    }


def whole() -> dict[str, list[Obj]]:
    """A shop in good health."""
    asking = {"image": "web", "env": [{"name": "CATALOG_URL", "value": "http://catalog:8000"}]}
    return {
        "nodes": [node()],
        "deployments.apps": [deployment("web", 2, spec={"containers": [asking]}), deployment("catalog", 2)],
        "pods": [pod(f"{s}-{n}", s) for s in ("web", "catalog") for n in (1, 2)],
        "services": [service("web"), service("catalog"), service("web-published", outside=8080, of="web")],
        "endpointslices.discovery.k8s.io": [*(endpoints(name, 2) for name in ("web", "web-published", "catalog"))],
        "gateways.gateway.networking.k8s.io": [front()],
    }


def seen(objects: dict[str, list[Obj]], record: Obj | None = None) -> Picture:
    return picture(snapshot(read(objects), machine(RECORD if record is None else record)))
