"""What a cluster always has: the four namespaces, the Service `kubernetes`, the system priority classes; and in every
namespace the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`.

`objects` is the pure list; `ensure` makes what is missing and puts right what a new start has changed (the API's
port, the range of service addresses).
"""

import asyncio
import ipaddress
from collections.abc import Iterator

from madang.api import create as creating
from madang.api.desk import Desk, durable
from madang.api.furnish import furnish
from madang.api.relocate import relocate
from madang.api.resources import Aim, resource
from madang.api.update import update
from madang.kinds.checks.cluster import SYSTEM_PRIORITIES
from madang.kinds.claims import CLASSES, DEFAULT_CLASS, PROVISIONER, STANDARD
from madang.ports.api import User, WriteOptions
from madang.ports.objects import Key, Obj
from madang.ports.settings import Settings

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
USER = User("system:apiserver", ("system:masters", "system:authenticated"))
MANAGER = "kube-apiserver"


def objects(settings: Settings, address: str, port: int) -> Iterator[tuple[str, Obj]]:
    """(group resource, object); `address` and `port` are where pods reach the API."""
    for name in NAMESPACES:
        yield "namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}
    for name, value in SYSTEM_PRIORITIES.items():
        yield (
            "priorityclasses.scheduling.k8s.io",
            {
                "kind": "PriorityClass",
                "apiVersion": "scheduling.k8s.io/v1",
                "metadata": {"name": name},
                "value": value,
                "description": _ABOUT[name],
            },
        )
    yield CLASSES, standard_class()
    yield from _api(settings, address, port)


def _api(settings: Settings, address: str, port: int) -> Iterator[tuple[str, Obj]]:
    """The Service by which pods find the API."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    first = kubernetes_address(settings)
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    yield (
        "services",
        {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
            "spec": {
                "clusterIP": first,
                "clusterIPs": [first],
                "type": "ClusterIP",
                "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
                "sessionAffinity": "None",
            },
        },
    )
    yield (
        "endpoints",
        {
            "kind": "Endpoints",
            "apiVersion": "v1",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
            },
            "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
        },
    )
    yield (
        "endpointslices.discovery.k8s.io",
        {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": ports,
        },
    )


_WHERE = ("endpoints", "endpointslices.discovery.k8s.io")  # say where the API is today
_ABOUT = {
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, but can be moved to "
    "another node if necessary.",
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
}


def standard_class() -> Obj:
    """Claims that name no class are of this one: folders, made when the first pod needs them."""
    return {
        "kind": "StorageClass",
        "apiVersion": "storage.k8s.io/v1",
        "metadata": {"name": STANDARD, "annotations": {DEFAULT_CLASS[0]: "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def kubernetes_address(settings: Settings) -> str:
    """The Service `kubernetes` has the first address of the range."""
    return str(ipaddress.ip_network(settings.addresses.service_cidr).network_address + 1)


async def ensure(desk: Desk, address: str, port: int) -> None:
    options = WriteOptions(field_manager=MANAGER)
    await relocate(desk, kubernetes_address(desk.settings))
    for kind, obj in objects(desk.settings, address, port):
        about = obj["metadata"]
        found = resource(kind)
        key = Key(kind, about.get("namespace", ""), about["name"])
        entry = desk.store.newest(key)
        if entry is None:
            await creating.create(desk, USER, found, key.namespace, obj, options)
        elif kind in _WHERE or (kind == "services" and _moved(entry.obj, obj)):
            await update(desk, USER, Aim(found, key.namespace, key.name), obj, options)
    for entry in desk.store.list("namespaces").entries:
        if not entry.obj["metadata"].get("deletionTimestamp"):
            await asyncio.gather(*map(durable, furnish(desk, entry.key.name)))


def _moved(old: Obj, new: Obj) -> bool:
    return bool(old["spec"].get("ports") != new["spec"]["ports"])
