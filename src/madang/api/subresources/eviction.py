"""`eviction`: a deletion that asks first. Without disruption budgets it is a deletion with its preconditions."""

from madang.api import delete as deleting
from madang.api import errors
from madang.api.desk import Desk, Outcome, durable
from madang.api.pipeline import decoded
from madang.api.resources import Resource, posted
from madang.kinds.kind import Kind
from madang.kinds.times import format_seconds
from madang.ports.api import DeleteOptions, WriteOptions
from madang.ports.errors import BadRequest
from madang.ports.objects import Obj

ROW = Kind(group="policy", version="v1", kind="Eviction", plural="evictions")
EVICTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
SUCCESS: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def evict(
    desk: Desk, resource: Resource, namespace: str, name: str, body: bytes | Obj, options: WriteOptions
) -> Outcome:
    wanted, _ = decoded(posted(ROW), body, options)
    about = wanted.get("metadata") or {}
    if about.get("name") and about["name"] != name:
        raise BadRequest(f'name in URL does not match name in Eviction object: "{about["name"]}" != "{name}"')
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    asked = wanted.get("deleteOptions") or {}
    preconditions = asked.get("preconditions") or {}
    deletion = DeleteOptions(
        grace_s=asked.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        revision=preconditions.get("resourceVersion"),
        propagation=asked.get("propagationPolicy"),
        dry_run=options.dry_run or bool(asked.get("dryRun")),
    )
    deleting.check_preconditions(resource, entry, deletion)
    if not deletion.dry_run and not entry.obj["metadata"].get("deletionTimestamp"):
        marked = _marked(entry.obj, format_seconds(desk.clock.now_s()))
        await durable(desk.put(entry.key, marked, entry.revision))
        # Others were not idle while the disk was: the pod may be gone, and its name another's.
        present = desk.newest(resource.row, namespace, name)
        if present is None or present.obj["metadata"]["uid"] != entry.obj["metadata"]["uid"]:
            return Outcome(obj=SUCCESS, created=True)
        entry = present
    await deleting.remove(desk, resource, entry, deletion)
    return Outcome(obj=SUCCESS, created=True)


def _marked(pod: Obj, now: str) -> Obj:
    """The pod with the condition that says why it goes."""
    status = pod.get("status") or {}
    others = [c for c in status.get("conditions") or () if c.get("type") != EVICTED["type"]]
    conditions = [*others, {**EVICTED, "lastProbeTime": None, "lastTransitionTime": now}]
    return {**pod, "metadata": dict(pod["metadata"]), "status": {**status, "conditions": conditions}}
