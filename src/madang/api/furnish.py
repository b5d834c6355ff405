"""What stands in every namespace from its first moment: the ServiceAccount `default` and the ConfigMap with the CA.

In: a namespace. Out: awaitables of what was missing, accepted in the same commit as the namespace itself.
"""

from collections.abc import Awaitable

from madang.api.accept import accept_own
from madang.api.desk import Desk
from madang.api.resources import resource
from madang.kinds.furnishing import account, root_ca
from madang.ports.objects import Entry, Key

MANAGER = "kube-controller-manager"


def furnish(desk: Desk, namespace: str) -> list[Awaitable[Entry]]:
    """What belongs into a namespace and is not there; accepted by the store when this returns."""
    waiting = []
    for kind, obj in (("serviceaccounts", account(namespace)), ("configmaps", root_ca(namespace, desk.ca_pem))):
        key = Key(kind, namespace, obj["metadata"]["name"])
        if desk.store.newest(key) is None and (desk.ca_pem or kind != "configmaps"):
            waiting.append(accept_own(desk, resource(kind), namespace, obj, MANAGER))
    return waiting
