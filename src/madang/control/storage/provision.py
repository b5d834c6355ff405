"""A volume made for a claim: a folder of the courtyard, named by the claim's uid.

In: a claim that no volume fits, its class. Out: the volume's object, bound to the claim from its birth, or the event
that says who else has to make it, or why it cannot be made.
"""

from collections.abc import Sequence

from madang.kinds import claims as c
from madang.ports.actions import Action, Create, Emit, Patch
from madang.ports.objects import Obj

EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{name}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)


def provisioned(claim: Obj, class_: Obj | None, folders: str) -> Sequence[Action]:
    meta = claim["metadata"]
    if class_ is None:
        name = c.class_name(claim)
        return [failed(claim, f'storageclass.storage.k8s.io "{name}" not found')]
    provisioner = class_["provisioner"]
    if provisioner == c.NO_PROVISIONER:
        return [failed(claim, f"no volume plugin matched name: {provisioner}")]
    notes = {name: provisioner for name in c.PROVISIONED_FOR if c.annotations(claim).get(name) != provisioner}
    told: list[Action] = []
    if notes:
        told.append(Patch(c.CLAIMS, meta["namespace"], meta["name"], {"metadata": {"annotations": notes}},
                          uid=meta["uid"]))  # fmt: skip
    if provisioner != c.PROVISIONER:
        return [*told, Emit(c.CLAIMS, claim, "Normal", "ExternalProvisioning", EXTERNAL.format(name=provisioner))]
    if why := lacking(claim, class_):
        return [
            *told,
            failed(claim, f'failed to provision volume with StorageClass "{class_["metadata"]["name"]}": {why}'),
        ]
    volume = made(claim, class_, folders)
    text = f"Successfully provisioned volume {volume['metadata']['name']}"
    return [*told, Create(c.VOLUMES, volume, then=(Emit(c.CLAIMS, claim, "Normal", "ProvisioningSucceeded", text),))]


def failed(claim: Obj, text: str) -> Emit:
    return Emit(c.CLAIMS, claim, "Warning", "ProvisioningFailed", text)


def lacking(claim: Obj, class_: Obj) -> str:
    """What a folder cannot be."""
    spec = claim["spec"]
    if spec.get("volumeMode") == "Block":
        return f"{c.PROVISIONER} makes folders, and no block volumes"
    if spec.get("dataSource") or spec.get("dataSourceRef"):
        return f"{c.PROVISIONER} copies no data sources"
    if spec.get("selector"):
        return "claim Selector is not supported"
    if class_.get("parameters"):
        return f"{c.PROVISIONER} knows no parameters, found {', '.join(sorted(class_['parameters']))}"
    return ""


def made(claim: Obj, class_: Obj, folders: str) -> Obj:
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    volume: Obj = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {c.PROVISIONED_BY: c.PROVISIONER},
            "finalizers": [c.FOLDER],
        },
        "spec": {
            "accessModes": list(spec["accessModes"]),
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": c.reference(claim),
            "hostPath": {"path": f"{folders}/{meta['namespace']}/{name}", "type": "DirectoryOrCreate"},
            "persistentVolumeReclaimPolicy": class_.get("reclaimPolicy") or "Delete",
            "storageClassName": class_["metadata"]["name"],
            "volumeMode": "Filesystem",
        },
    }
    if class_.get("mountOptions"):
        volume["spec"]["mountOptions"] = list(class_["mountOptions"])
    return volume
