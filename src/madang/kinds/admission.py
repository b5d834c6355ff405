"""What a cluster's built-in admission does to a fresh object when it knows a little of the rest of the house.

In: the object, changed in place, and the few others that it needs. Out: nothing, or the API's 403. Pure: `api` looks
the others up.
"""

from collections.abc import Sequence

from madang.kinds.furnishing import CA_KEY, ROOT_CA
from madang.ports.errors import Forbidden
from madang.ports.objects import Obj

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_EXPIRES_S = 3607  # one hour and the seconds that mark it as asked for by admission
EVICT_AFTER_S = 300
_LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def service_account_volume(pod: Obj, account: Obj | None, suffix: str) -> None:
    """The account's name, its pull secrets, and the projected token at the usual place of every container.

    `account` is the ServiceAccount that the pod names (`default` if none); `suffix` ends the volume's name.
    """
    spec = pod["spec"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    if account is None:
        raise Forbidden(
            f'pods "{pod["metadata"].get("name", "")}" is forbidden: error looking up service account '
            f'{pod["metadata"].get("namespace", "")}/{name}: serviceaccount "{name}" not found',
            details={"name": pod["metadata"].get("name", ""), "kind": "pods"},
        )
    if _wants_token(spec, account):
        _mount_token(spec, suffix)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(ref) for ref in account["imagePullSecrets"]]


def _wants_token(spec: Obj, account: Obj) -> bool:
    asked = spec.get("automountServiceAccountToken")
    return bool(account.get("automountServiceAccountToken", True) if asked is None else asked)


def _mount_token(spec: Obj, suffix: str) -> None:
    # a volume of this kind that is there already is used again (a pod that was read and is made anew)
    known = {volume["name"] for volume in spec.get("volumes") or () if volume["name"].startswith("kube-api-access-")}
    name = next(iter(sorted(known)), f"kube-api-access-{suffix}")
    mounted = False
    for member in ("initContainers", "containers"):
        for container in spec.get(member) or ():
            mounts = container.get("volumeMounts") or []
            if all(mount.get("mountPath") != TOKEN_PATH for mount in mounts):
                mount = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
                container["volumeMounts"] = [*mounts, mount]
                mounted = True
    if mounted and name not in known:
        spec["volumes"] = [*(spec.get("volumes") or ()), _token_volume(name)]


def _token_volume(name: str) -> Obj:
    return {"name": name, "projected": {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_EXPIRES_S, "path": "token"}},
            {"configMap": {"name": ROOT_CA, "items": [{"key": CA_KEY, "path": CA_KEY}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
            ]}},
        ],
        "defaultMode": 0o644,
    }}  # fmt: skip


def default_tolerations(pod: Obj) -> None:
    """A lost node keeps its pods for five minutes, unless they say otherwise."""
    found = pod["spec"].get("tolerations") or []
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": EVICT_AFTER_S}
        for key in _LOST
        if not any(_about(toleration, key) for toleration in found)
    ]
    if added:
        pod["spec"]["tolerations"] = [*found, *added]


def _about(toleration: Obj, key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, "")


def priority(pod: Obj, classes: Sequence[Obj]) -> None:
    """The number behind the pod's priority class, from all PriorityClass objects."""
    spec = pod["spec"]
    name = spec.get("priorityClassName") or ""
    value, policy = 0, "PreemptLowerPriority"
    if name:
        found = next((item for item in classes if item["metadata"]["name"] == name), None)
        if found is None:
            raise _forbidden(pod, f"no PriorityClass with name {name} was found")
    else:
        # the lowest of those that call themselves the default, as the API does
        found = min((c for c in classes if c.get("globalDefault")), key=lambda c: c.get("value", 0), default=None)
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
        value, policy = found.get("value", 0), found.get("preemptionPolicy") or policy
    if spec.get("priority") not in (None, value):
        raise _forbidden(
            pod,
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name",
        )
    if spec.get("preemptionPolicy") not in (None, policy):
        raise _forbidden(
            pod,
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name",
        )
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _forbidden(pod: Obj, why: str) -> Forbidden:
    name = pod["metadata"].get("name", "")
    return Forbidden(f'pods "{name}" is forbidden: {why}', details={"name": name, "kind": "pods"})


def runtime_class(pod: Obj, found: Obj | None) -> None:
    """What the pod's runtime class adds: its overhead and where it can run."""
    name = pod["spec"].get("runtimeClassName")
    if not name:
        return
    if found is None:
        raise _forbidden(pod, f'pod rejected: RuntimeClass "{name}" not found')
    overhead = (found.get("overhead") or {}).get("podFixed")
    if overhead:
        if pod["spec"].get("overhead") not in (None, {}, overhead):
            raise _forbidden(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
        pod["spec"]["overhead"] = dict(overhead)
    scheduling = found.get("scheduling") or {}
    wanted = scheduling.get("nodeSelector") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    for key, value in wanted.items():
        if selector.get(key, value) != value:
            raise _forbidden(
                pod,
                f"pod rejected: conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}",
            )
    if wanted:
        pod["spec"]["nodeSelector"] = {**selector, **wanted}
    added = [t for t in scheduling.get("tolerations") or () if t not in (pod["spec"].get("tolerations") or ())]
    if added:
        pod["spec"]["tolerations"] = [*(pod["spec"].get("tolerations") or ()), *map(dict, added)]


def node_taint(node: Obj) -> None:
    """A new node takes no pods until it says that it is ready."""
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    found = node["spec"].get("taints") or []
    if all((t.get("key"), t.get("effect")) != (taint["key"], taint["effect"]) for t in found):
        node["spec"]["taints"] = [*found, taint]
