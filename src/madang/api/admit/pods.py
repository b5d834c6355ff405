"""What a pod is given on creation: its service account and token volume, tolerations, priority, runtime overhead.

In: the pod (changed in place) and the objects that it names. Out: nothing, or the API's 403 where one is missing.
The plug-ins of a cluster that do this are ServiceAccount, DefaultTolerationSeconds, Priority and RuntimeClass.
"""

from typing import Any

from madang.api import errors
from madang.api.desk import Desk
from madang.kinds.table import by_id
from madang.ports.errors import Forbidden
from madang.ports.objects import Key, Obj

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_S = 3607
TOLERATED_S = 300
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit(desk: Desk, pod: Obj) -> None:
    _account(desk, pod)
    _tolerations(pod["spec"])
    _priority(desk, pod)
    _runtime_class(desk, pod)


def keep(new: Obj, old: Obj) -> None:
    """What admission gave at creation and an update that doesn't name it keeps."""
    spec, before = new.setdefault("spec", {}), old.get("spec") or {}
    for name in ("priority", "preemptionPolicy", "overhead"):
        if name in before:
            spec.setdefault(name, before[name])
    if before.get("serviceAccountName"):
        spec.setdefault("serviceAccountName", before["serviceAccountName"])
        spec["serviceAccount"] = spec["serviceAccountName"]


def _account(desk: Desk, pod: Obj) -> None:
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    entry = desk.store.newest(Key("serviceaccounts", namespace, name))
    if entry is None:
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise _refused(pod, why)
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = entry.obj
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]
    if spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True)):
        _token_volume(desk, spec)


def _token_volume(desk: Desk, spec: Obj) -> None:
    """Mounted in every container that has nothing of its own at that path."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    lacking = [c for c in containers if not any(m.get("mountPath") == TOKEN_PATH for m in c.get("volumeMounts") or ())]
    if not lacking:
        return
    name = f"kube-api-access-{desk.chance.suffix(5)}"
    for container in lacking:
        mount = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources: list[Any] = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_S, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}
    spec["volumes"] = [*(spec.get("volumes") or ()), volume]


def _tolerations(spec: Obj) -> None:
    have = spec.get("tolerations") or []
    more = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATED_S}
        for key in TAINTS
        if not any(t.get("key") in (None, "", key) and t.get("effect") in (None, "", "NoExecute") for t in have)
    ]
    if have or more:
        spec["tolerations"] = [*have, *more]


def _priority(desk: Desk, pod: Obj) -> None:
    spec = pod["spec"]
    name = spec.get("priorityClassName")
    kind = "priorityclasses.scheduling.k8s.io"
    found: Obj | None = None
    if name:
        entry = desk.store.newest(Key(kind, "", name))
        if entry is None:
            raise _refused(pod, f"no PriorityClass with name {name} was found")
        found = entry.obj
    else:
        marked = [e.obj for e in desk.store.list(kind).entries if b'"globalDefault":true' in e.data]
        if marked:
            found = min(marked, key=lambda one: int(one.get("value", 0)))
            spec["priorityClassName"] = found["metadata"]["name"]
    value = (found or {}).get("value", 0)
    if spec.get("priority") not in (None, value):
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission "
        )
        raise _refused(pod, f"{why}controller computed {value} from the given PriorityClass name")
    spec["priority"] = value
    spec.setdefault("preemptionPolicy", (found or {}).get("preemptionPolicy") or "PreemptLowerPriority")


def _runtime_class(desk: Desk, pod: Obj) -> None:
    spec = pod["spec"]
    name = spec.get("runtimeClassName")
    if not name:
        return
    entry = desk.store.newest(Key("runtimeclasses.node.k8s.io", "", name))
    if entry is None:
        raise _refused(pod, f'pod rejected: RuntimeClass "{name}" not found')
    overhead = (entry.obj.get("overhead") or {}).get("podFixed")
    if overhead:
        spec["overhead"] = overhead
    scheduling = entry.obj.get("scheduling") or {}
    selector = scheduling.get("nodeSelector") or {}
    if selector:
        mine = spec.get("nodeSelector") or {}
        if any(mine.get(key, value) != value for key, value in selector.items()):
            raise _refused(
                pod, "pod rejected: conflict: runtimeClass.scheduling.nodeSelector and pod.spec.nodeSelector"
            )
        spec["nodeSelector"] = {**mine, **selector}
    if scheduling.get("tolerations"):
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *scheduling["tolerations"]]


def _refused(pod: Obj, why: str) -> Forbidden:
    return errors.forbidden(by_id("pods"), pod["metadata"].get("name", ""), why)
