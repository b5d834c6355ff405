"""What a pod is given on creation: its service account and token volume, tolerations, priority, runtime overhead.

In: the pod (changed in place) and the objects that it names. Out: nothing, or the API's 403 where one is missing.
The plug-ins of a cluster that do this are ServiceAccount, DefaultTolerationSeconds, Priority and RuntimeClass; their
pure halves stand in `kinds.admission`.
"""

from madang.api.desk import Desk
from madang.kinds import admission
from madang.ports.objects import Key, Obj

CLASSES = "priorityclasses.scheduling.k8s.io"


def admit(desk: Desk, pod: Obj) -> None:
    spec = pod["spec"]
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = name
    account = desk.store.newest(Key("serviceaccounts", pod["metadata"]["namespace"], name))
    admission.service_account_volume(pod, account.obj if account is not None else None, desk.chance.suffix(5))
    admission.default_tolerations(pod)
    admission.priority(pod, [entry.obj for entry in desk.store.list(CLASSES).entries])
    if spec.get("runtimeClassName"):
        found = desk.store.newest(Key("runtimeclasses.node.k8s.io", "", spec["runtimeClassName"]))
        admission.runtime_class(pod, found.obj if found is not None else None)


def keep(new: Obj, old: Obj) -> None:
    """What admission gave at creation and an update that doesn't name it keeps."""
    spec, before = new.setdefault("spec", {}), old.get("spec") or {}
    for name in ("priority", "preemptionPolicy", "overhead"):
        if name in before:
            spec.setdefault(name, before[name])
    if before.get("serviceAccountName"):
        spec.setdefault("serviceAccountName", before["serviceAccountName"])
        spec["serviceAccount"] = spec["serviceAccountName"]
