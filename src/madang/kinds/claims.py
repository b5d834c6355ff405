"""What claims and volumes mean to each other: which volume a claim may have, whose volume one is, who claims what.

In: claims, volumes, classes, pods. Out: yes or no, a choice, names. Known to admission, controllers, placement and
nodes alike (kubernetes pkg/controller/volume/persistentvolume and its pv_helpers).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from madang.kinds import quantity
from madang.kinds.selectors import from_object
from madang.ports.objects import Obj

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
CLASSES = "storageclasses.storage.k8s.io"
CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
PROVISIONER = "madang.dev/local"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
STANDARD = "standard"
BIND_COMPLETED, BY_CONTROLLER = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONED_FOR = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
PROTECTION = {CLAIMS: "kubernetes.io/pvc-protection", VOLUMES: "kubernetes.io/pv-protection"}
# held until the folder of a volume that is deleted is gone
FOLDER = "external-provisioner.volume.kubernetes.io/finalizer"


class Claimed(NamedTuple):
    """A claim that a pod's volume names. `ephemeral`: made for the pod and owned by it."""

    volume: str
    claim: str
    ephemeral: bool
    read_only: bool


def claimed(pod: Obj) -> list[Claimed]:
    found = []
    for volume in pod["spec"].get("volumes") or ():
        if (source := volume.get("persistentVolumeClaim")) is not None:
            found.append(Claimed(volume["name"], source.get("claimName", ""), False, bool(source.get("readOnly"))))
        elif volume.get("ephemeral") is not None:
            found.append(Claimed(volume["name"], f"{pod['metadata']['name']}-{volume['name']}", True, False))
    return found


def annotations(obj: Obj) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def class_name(obj: Obj) -> str:
    """The class of a claim or a volume; empty where it has none."""
    old = annotations(obj).get(CLASS)
    return str((obj.get("spec") or {}).get("storageClassName") or "") if old is None else old


def is_default(storage_class: Obj) -> bool:
    return any(annotations(storage_class).get(name) == "true" for name in DEFAULT_CLASS)


def waits(storage_class: Obj | None) -> bool:
    """Whether claims of this class wait for a pod."""
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def bound(claim: Obj) -> bool:
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations(claim)


def is_for(volume: Obj, claim: Obj) -> bool:
    """Whether the volume's reference names this claim (an empty uid: whichever has the name)."""
    ref, meta = volume["spec"].get("claimRef"), claim["metadata"]
    if not ref or (ref.get("namespace"), ref.get("name")) != (meta["namespace"], meta["name"]):
        return False
    return not ref.get("uid") or ref["uid"] == meta["uid"]


def reference(claim: Obj) -> Obj:
    """How a volume names its claim."""
    meta = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta.get("resourceVersion", ""),
    }


def give(volume: Obj, claim: Obj) -> Obj | None:
    """The merge patch that gives a volume to a claim; None where it is its already."""
    had = volume["spec"].get("claimRef") or {}
    if had.get("uid") == claim["metadata"]["uid"]:
        return None
    patch: Obj = {"spec": {"claimRef": reference(claim)}}
    if not had:
        patch["metadata"] = {"annotations": {BY_CONTROLLER: "yes"}}
    return patch


def size(obj: Obj) -> int:
    """What a volume has, or a claim asks for, in billionths of a byte."""
    spec = obj["spec"]
    has = spec.get("capacity") if "capacity" in spec else (spec.get("resources") or {}).get("requests")
    return nanos((has or {}).get("storage", "0"))


def nanos(text: str) -> int:
    """0 for what is no quantity: nobody looked at it who would have refused it."""
    try:
        return quantity.parse(str(text)).nanos
    except quantity.QuantityError:
        return 0


def mismatch(volume: Obj, claim: Obj) -> str:
    """Why the volume that a claim names will not do; empty where it does."""
    has, wants = volume["spec"], claim["spec"]
    if size(volume) < size(claim):
        return "requested PV is too small"
    if class_name(volume) != class_name(claim):
        return "storageClassName does not match"
    if has.get("volumeMode", "Filesystem") != wants.get("volumeMode", "Filesystem"):
        return "incompatible volumeMode"
    if not set(wants.get("accessModes") or ()) <= set(has.get("accessModes") or ()):
        return "incompatible accessMode"
    return ""


def choose(
    claim: Obj,
    volumes: Iterable[Obj],
    *,
    delayed: bool = False,
    reaches: Callable[[Obj], bool] = lambda volume: True,
) -> Obj | None:
    """The volume that was made for this claim, else the smallest free one that fits. `delayed`: only the former.
    `reaches`: whether the node in question can have it."""
    fitting: list[Obj] = []
    selector = from_object(claim["spec"]["selector"]) if claim["spec"].get("selector") else None
    for volume in volumes:
        ref = volume["spec"].get("claimRef")
        if (ref and not is_for(volume, claim)) or "deletionTimestamp" in volume["metadata"]:
            continue
        unlike = {"capacity": size(volume) < size(claim), "mode": _mode(volume) != _mode(claim)}
        if any(unlike.values()) or not reaches(volume):
            continue
        if ref:
            return volume
        free = (volume.get("status") or {}).get("phase") == "Available"
        if delayed or not free or (selector and not selector.matches(volume["metadata"].get("labels") or {})):
            continue
        if not mismatch(volume, claim):
            fitting.append(volume)
    return min(fitting, key=lambda v: (size(v), v["metadata"]["name"]), default=None)


def _mode(obj: Obj) -> str:
    return str(obj["spec"].get("volumeMode") or "Filesystem")


def node_terms(volume: Obj) -> Sequence[Obj] | None:
    """Where a volume can be reached; None: everywhere."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return None if required is None else required.get("nodeSelectorTerms") or []


def folder_name(volume: Obj) -> str:
    """Where below the courtyard's `volumes` the folder of a volume lies that we made: told by its name, not by its
    path, which is whoever made the object's to say. Empty for any other volume."""
    ref, name = volume["spec"].get("claimRef") or {}, volume["metadata"]["name"]
    namespace = ref.get("namespace", "")
    ours = annotations(volume).get(PROVISIONED_BY) == PROVISIONER and name.startswith("pvc-")
    return f"{namespace}/{name}" if ours and "/" not in namespace and namespace not in ("", ".", "..") else ""
