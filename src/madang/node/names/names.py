"""Which Services and endpoints the hosts files of pods are made from, made once for all pods of a namespace.

In: a view of the committed state, and word that it has changed (`forget`). Out: the parts of a file's text.
"""

from madang.node.names.hosts import own, shared
from madang.ports.objects import Obj
from madang.ports.view import View

SERVICE_NAME = "kubernetes.io/service-name"


class Names:
    def __init__(self, view: View) -> None:
        self._view = view
        self._shared: dict[str, str] = {}  # by namespace

    def forget(self) -> None:
        """Services or endpoints have changed."""
        self._shared.clear()

    def parts(self, pod: Obj, ip: str) -> tuple[str, str]:
        """The pod's own lines, and those of its namespace: the same value for each pod until something changes."""
        namespace = pod["metadata"].get("namespace", "")
        known = self._shared.get(namespace)
        if known is None:
            known = self._shared[namespace] = self._make(namespace)
        return own(pod, ip), known

    def _make(self, namespace: str) -> str:
        services = self._view.list("services")
        headless = [s for s in services if s["spec"].get("clusterIP") == "None"]
        return shared(namespace, services, {_key(s): self._slices(s) for s in headless})

    def _slices(self, service: Obj) -> list[Obj]:
        namespace, name = _key(service)
        return list(self._view.list("endpointslices.discovery.k8s.io", namespace, labels={SERVICE_NAME: name}))


def _key(service: Obj) -> tuple[str, str]:
    return service["metadata"].get("namespace", ""), service["metadata"]["name"]
