"""Whether traffic may come to a pod, and whether it is still led there.

In: the committed view, a pod. Out: yes or no. Who balances reads EndpointSlices: an instance has left rotation once
no slice names it as one that serves.
"""

from madang.ports.objects import Obj
from madang.ports.view import View

SLICES = "endpointslices.discovery.k8s.io"


def served(pod: Obj, view: View) -> bool:
    """Whether a Service chooses it."""
    meta = pod["metadata"]
    labels = (meta.get("labels") or {}).items()
    services = view.list("services", meta["namespace"])
    return any(s["spec"].get("selector") and s["spec"]["selector"].items() <= labels for s in services)


def led(pod: Obj, view: View) -> bool:
    """Whether a slice still leads to it. One that is on its way out is led to only where nobody else serves."""
    meta = pod["metadata"]
    for one in view.list(SLICES, meta["namespace"]):
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("targetRef") or {}).get("uid") == meta["uid"]:
                conditions = endpoint.get("conditions") or {}
                if conditions.get("serving") is not False and conditions.get("terminating") is not True:
                    return True
    return False
