"""ReplicationController: the ReplicaSet's elder, whose selector is a plain map of labels.

In: the ReplicationController, its pods. Out: what a ReplicaSet of the same content does (kubernetes
pkg/controller/replication, which wraps the same one).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.controller import Ref, Waker, wake_self
from madang.control.owners import controller_of, controller_ref, owner_ref
from madang.control.replicaset import kept
from madang.control.selection import labels_of
from madang.ports.actions import Action
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "replication-controller"
KIND = "replicationcontrollers"


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    if controller_of(obj) is not None:
        yield from owner_ref(obj, "ReplicationController")
        return
    labels, namespace = labels_of(obj).items(), obj["metadata"].get("namespace", "")
    for owner in view.list(KIND, namespace) if labels else ():
        if (owner["spec"].get("selector") or {}).items() <= labels:
            yield Ref(namespace, owner["metadata"]["name"])


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, pod.PODS: wake_of_pod}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    found = view.get(KIND, ref.namespace, ref.name)
    if found is None:
        return []
    as_set = {**found, "spec": {**found["spec"], "selector": {"matchLabels": found["spec"].get("selector") or {}}}}
    reference = controller_ref(found, "v1", "ReplicationController")
    return kept(KIND, as_set, reference, view, now, chance, tells_going=False)
