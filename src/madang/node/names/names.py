"""Keeps the names that pods see up to date: which Services and endpoints a pod's hosts file is made from.

In: a view of the committed state. Out: the file's text.
"""

from madang.node.names.hosts import hosts
from madang.ports.objects import Obj
from madang.ports.view import View

SERVICE_NAME = "kubernetes.io/service-name"


def hosts_text(view: View, pod: Obj, ip: str) -> str:
    services = view.list("services")
    headless = [s for s in services if s["spec"].get("clusterIP") == "None"]
    slices = {_key(s): _slices(view, s) for s in headless}
    return hosts(pod, ip, services, slices)


def _key(service: Obj) -> tuple[str, str]:
    return service["metadata"].get("namespace", ""), service["metadata"]["name"]


def _slices(view: View, service: Obj) -> list[Obj]:
    namespace, name = _key(service)
    return list(view.list("endpointslices.discovery.k8s.io", namespace, labels={SERVICE_NAME: name}))
