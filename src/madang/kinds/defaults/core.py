"""Defaults of the core group's other kinds: namespaces, nodes, services, secrets.

In: a decoded, fresh object, changed in place. Addresses and node ports of services need the house and are no defaults.
"""

import base64

from madang.ports.objects import Obj

_AFFINITY_TIMEOUT_S = 10800
_CLUSTER_TYPES = ("ClusterIP", "NodePort", "LoadBalancer")
_OUTSIDE_TYPES = ("NodePort", "LoadBalancer")


def namespace(obj: Obj) -> None:
    name = obj["metadata"].get("name")
    if name:
        obj["metadata"]["labels"] = {**obj["metadata"].get("labels", {}), "kubernetes.io/metadata.name": name}
    obj["status"].setdefault("phase", "Active")


def node(obj: Obj) -> None:
    status, spec = obj["status"], obj["spec"]
    if "capacity" in status and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]


def endpoints(obj: Obj) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            port["protocol"] = port.get("protocol") or "TCP"


def service(obj: Obj) -> None:
    spec = obj["spec"]
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("type", "ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if "timeoutSeconds" not in (config.get("clientIP") or {}):
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_TIMEOUT_S}}
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (0, "", None):
            port["targetPort"] = port["port"]
    outside = spec["type"] in _OUTSIDE_TYPES or (spec["type"] == "ClusterIP" and spec.get("externalIPs"))
    if outside:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] in _CLUSTER_TYPES:
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in obj["status"].get("loadBalancer", {}).get("ingress", ()):
            if ingress.get("ip"):
                ingress.setdefault("ipMode", "VIP")


def secret(obj: Obj) -> None:
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        written = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
        obj["data"] = {**obj.get("data", {}), **written}
