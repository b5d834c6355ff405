"""`binding`: the scheduler gives a pod its node, once.

In: a Binding (its target is the node). Out: a Status Success; a pod that has a node, is dying or is gated is refused
with the API's 409.
"""

import copy

from madang.api import errors
from madang.api.desk import Desk, Outcome, durable
from madang.api.pipeline import decoded
from madang.api.resources import Resource, posted, resource
from madang.kinds.checks.status import invalid
from madang.kinds.checks.subresources import check_binding
from madang.kinds.kind import Kind
from madang.kinds.times import format_seconds
from madang.ports.api import WriteOptions
from madang.ports.errors import BadRequest
from madang.ports.objects import Entry, Obj

ROW = Kind(group="", version="v1", kind="Binding", plural="bindings")
SUCCESS: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def create(desk: Desk, namespace: str, body: bytes | Obj, options: WriteOptions) -> Outcome:
    """A Binding posted to the collection names its pod itself."""
    wanted, _ = decoded(posted(ROW), body, options)
    return await bind(desk, namespace, (wanted.get("metadata") or {}).get("name", ""), wanted, options)


async def bind(desk: Desk, namespace: str, name: str, body: bytes | Obj, options: WriteOptions) -> Outcome:
    wanted, _ = decoded(posted(ROW), body, options)
    about, target = wanted.get("metadata") or {}, wanted.get("target") or {}
    if about.get("name") and about["name"] != name:
        raise BadRequest(f'name in URL does not match name in Binding object: "{about["name"]}" != "{name}"')
    if found := check_binding(wanted):
        raise invalid("Binding", "", name, found)
    pods = resource("pods")
    entry = desk.newest(pods.row, namespace, name)
    if entry is None:
        raise errors.not_found(pods.row, name)
    _refuse(pods, entry, about)
    if not options.dry_run:
        new = _bound(desk, entry, target["name"], about.get("annotations"))
        await durable(desk.put(entry.key, new, entry.revision))
    return Outcome(obj=SUCCESS, created=True)


def _refuse(pods: Resource, entry: Entry, about: Obj) -> None:
    obj, name = entry.obj, entry.key.name
    meta, spec = obj["metadata"], obj["spec"]
    if about.get("uid") and about["uid"] != meta["uid"]:
        why = f"Precondition failed: UID in precondition: {about['uid']}, UID in object meta: {meta['uid']}"
        raise errors.conflict(pods.row, name, why, "binding")
    if meta.get("deletionTimestamp"):
        raise errors.conflict(pods.row, name, f"pod {name} is being deleted, cannot be assigned to a host", "binding")
    if spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise errors.conflict(pods.row, name, why, "binding")
    if spec.get("schedulingGates"):
        raise errors.conflict(pods.row, name, f"pod {name} has non-empty .spec.schedulingGates", "binding")


def _bound(desk: Desk, entry: Entry, node_name: str, annotations: Obj | None) -> Obj:
    old = entry.obj
    meta = dict(old["metadata"])
    if annotations:
        meta["annotations"] = {**(meta.get("annotations") or {}), **annotations}
    new = {**old, "metadata": meta, "spec": {**old["spec"], "nodeName": node_name}}
    status = copy.deepcopy(old.get("status") or {})
    conditions = [c for c in status.get("conditions") or () if c.get("type") != "PodScheduled"]
    now = format_seconds(desk.clock.now_s())
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    if "generation" in meta:
        scheduled["observedGeneration"] = meta["generation"]
    status["conditions"] = [*conditions, scheduled]
    return {**new, "status": status}
