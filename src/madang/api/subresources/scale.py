"""`scale`: how many, of Deployments, ReplicaSets, ReplicationControllers, as an autoscaling/v1 Scale.

In: the object or a Scale. Out: a Scale, or the object with another number of replicas.
"""

from madang.api import errors
from madang.api.desk import Desk, Outcome
from madang.api.pipeline import decoded
from madang.api.resources import Resource, posted
from madang.api.update import write
from madang.kinds.checks.status import invalid
from madang.kinds.checks.subresources import check_scale
from madang.kinds.kind import Kind
from madang.kinds.selectors import from_object
from madang.ports.api import User, WriteOptions
from madang.ports.objects import Entry, Obj

ROW = Kind(group="autoscaling", version="v1", kind="Scale", plural="scales")


def read(entry: Entry) -> Obj:
    obj = entry.obj
    return of(obj, str(entry.revision))


def of(obj: Obj, revision: str) -> Obj:
    about, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    meta = {name: about[name] for name in ("name", "namespace", "uid", "creationTimestamp") if name in about}
    if revision:
        meta["resourceVersion"] = revision
    given = spec.get("selector")
    if obj.get("kind") == "ReplicationController":
        given = {"matchLabels": given or {}}
    selector = str(from_object(given))
    scale: Obj = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": spec.get("replicas", 1)} if spec.get("replicas", 1) else {},
        "status": {"replicas": status.get("replicas", 0)},
    }
    if selector:
        scale["status"]["selector"] = selector
    return scale


async def put(
    desk: Desk, user: User, resource: Resource, namespace: str, name: str, body: bytes | Obj, options: WriteOptions
) -> Outcome:
    wanted, warnings = decoded(posted(ROW), body, options)
    about = wanted.get("metadata") or {}
    if about.get("name") and about["name"] != name:
        raise errors.wrong_name(about["name"], name)
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    if found := check_scale(wanted):
        raise invalid(ROW.kind, ROW.group, name, found)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if about.get("uid") and about["uid"] != entry.obj["metadata"]["uid"]:
        raise errors.conflict(
            resource.row, name, f"Precondition failed: UID in precondition: {about['uid']}, "
            f"UID in object meta: {entry.obj['metadata']['uid']}",
        )  # fmt: skip
    new = {**entry.obj, "metadata": dict(entry.obj["metadata"]), "spec": {**entry.obj["spec"], "replicas": replicas}}
    if about.get("resourceVersion"):
        new["metadata"]["resourceVersion"] = about["resourceVersion"]
    done = await write(desk, user, resource, entry, new, "scale", options, warnings)
    revision = done.answer["metadata"].get("resourceVersion", "")
    return Outcome(obj=of(done.answer, revision), warnings=done.warnings)
