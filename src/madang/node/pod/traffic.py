"""Whether traffic may come to a pod, and whether it is still led there.

In: the committed view, a pod. Out: yes or no. Who balances reads EndpointSlices: an instance has left rotation once
no slice names it as one that serves.
"""

from collections.abc import Iterable

from madang.ports.objects import Obj
from madang.ports.view import View

SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"


def services(pod: Obj, view: View) -> list[str]:
    """The names of those that choose it."""
    meta = pod["metadata"]
    labels = (meta.get("labels") or {}).items()
    found = ((one["metadata"]["name"], one["spec"].get("selector")) for one in view.list("services", meta["namespace"]))
    return [name for name, selector in found if selector and selector.items() <= labels]


def led(pod: Obj, view: View, services: Iterable[str]) -> bool:
    """Whether a slice of these still leads to it. One that is on its way out is led to only where nobody else
    serves."""
    meta = pod["metadata"]
    for (
        name
    ) in services:  # not every slice of the namespace: this is asked every few milliseconds by each pod that goes
        for one in view.list(SLICES, meta["namespace"], labels={SERVICE_NAME: name}):
            if any(_serves(endpoint, meta["uid"]) for endpoint in one.get("endpoints") or ()):
                return True
    return False


def _serves(endpoint: Obj, uid: str) -> bool:
    if (endpoint.get("targetRef") or {}).get("uid") != uid:
        return False
    conditions = endpoint.get("conditions") or {}
    return conditions.get("serving") is not False and conditions.get("terminating") is not True
