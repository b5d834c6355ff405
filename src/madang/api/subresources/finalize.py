"""`finalize` of a Namespace: its content is gone, so one of `spec.finalizers` may go; with the last one goes it."""

from madang.api import errors
from madang.api.desk import Desk, Outcome, durable
from madang.api.pipeline import decoded
from madang.api.resources import Resource
from madang.api.update import finished
from madang.ports.api import WriteOptions
from madang.ports.objects import Obj


async def put(desk: Desk, resource: Resource, name: str, body: bytes | Obj, options: WriteOptions) -> Outcome:
    wanted, warnings = decoded(resource, body, options)
    inside = (wanted.get("metadata") or {}).get("name") or name
    if inside != name:
        raise errors.wrong_name(inside, name)
    entry = desk.newest(resource.row, "", name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    revision = (wanted.get("metadata") or {}).get("resourceVersion")
    if revision and revision != str(entry.revision):
        raise errors.modified(resource.row, name)
    spec = {k: v for k, v in (entry.obj.get("spec") or {}).items() if k != "finalizers"}
    finalizers = (wanted.get("spec") or {}).get("finalizers")
    if finalizers:
        spec["finalizers"] = finalizers
    new = {**entry.obj, "metadata": dict(entry.obj["metadata"]), "spec": spec}
    if options.dry_run:
        return Outcome(obj=new, warnings=tuple(warnings))
    if finished(new):
        await durable(desk.remove(entry.key, dict(new, metadata=dict(new["metadata"])), entry.revision))
        return Outcome(obj=new, warnings=tuple(warnings))
    stored = await durable(desk.put(entry.key, new, entry.revision))
    return Outcome(entry=stored, obj=new, warnings=tuple(warnings))
