"""What stands in every namespace from its first moment: the ServiceAccount `default` and the ConfigMap with the CA.

In: a namespace. Out: awaitables of what was missing, accepted in the same commit as the namespace itself.
"""

from collections.abc import Awaitable

from madang.api.accept import accept_own
from madang.api.desk import Desk
from madang.api.resources import resource
from madang.ports.objects import Entry, Key, Obj

ROOT_CA = "kube-root-ca.crt"
MANAGER = "kube-controller-manager"
ABOUT_CA = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def furnish(desk: Desk, namespace: str) -> list[Awaitable[Entry]]:
    """What belongs into a namespace and is not there; accepted by the store when this returns."""
    waiting = []
    account: Obj = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default"}}
    for kind, obj in (("serviceaccounts", account), ("configmaps", _root_ca(desk.ca_pem))):
        key = Key(kind, namespace, obj["metadata"]["name"])
        if desk.store.newest(key) is None and (desk.ca_pem or kind != "configmaps"):
            waiting.append(accept_own(desk, resource(kind), namespace, obj, MANAGER))
    return waiting


def _root_ca(pem: str) -> Obj:
    meta = {"name": ROOT_CA, "annotations": {"kubernetes.io/description": ABOUT_CA}}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": {"ca.crt": pem}}
