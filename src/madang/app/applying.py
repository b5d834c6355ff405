"""An application into the courtyard: all of it, or nothing.

In: the API, an `Application`. Out: what was created, changed, left as it was and removed. Everything is tried as a dry
run first, so that a wrong object refuses the whole. Fields are owned by server-side apply under the manager
`madang-up`; what an earlier `up` of the project made and the files no longer name is removed, volumes never.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from madang.app.application import MADE_FROM, PROJECT, Application, ApplicationError, Applied
from madang.app.building import prepare
from madang.app.machine import fit, machine
from madang.app.order import GROUPS, group
from madang.kinds import table
from madang.ports.api import Api, DeleteOptions, ListOptions, WriteOptions
from madang.ports.errors import NotFound, StatusError
from madang.ports.objects import Obj

MANAGER = "madang-up"
AS_IT_IS = "as it is"
# What an `up` makes and takes away again.
PRUNED = (
    "horizontalpodautoscalers.autoscaling", "httproutes.gateway.networking.k8s.io", "deployments.apps", "jobs.batch",
    "replicasets.apps", "pods", "services", "gateways.gateway.networking.k8s.io", "configmaps", "secrets",
    "serviceaccounts",
)  # fmt: skip


def kind_of(obj: Obj) -> str:
    served = table.by_object(obj)
    if served is None:
        raise ApplicationError([f"{name_of(obj)}: no such kind here: {obj.get('apiVersion')} {obj.get('kind')}"])
    return served.id


def name_of(obj: Obj) -> str:
    return f"{str(obj.get('kind', 'object')).lower()}/{obj['metadata'].get('name', '?')}"


def place(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


async def apply(api: Api, application: Application) -> Applied:
    out = Applied()
    made = [o for o in application.objects if o["kind"] == "Namespace" and await missing(api, o)]
    for obj in made:  # nothing can be tried in a namespace that isn't there
        await write(api, obj, False)
    here = await machine(api, application.objects)
    rest = [fit(o, here) for o in application.objects if o not in made]
    before = await gathered([current(api, o) for o in rest])
    scaled = autoscaled(application.objects)
    wanted = [settled_replicas(o, old, scaled) for o, old in zip(rest, before, strict=True)]
    found = await gathered([attempt(api, application, o, old) for o, old in zip(wanted, before, strict=True)])
    faults = [f for f in found if f not in ("", AS_IT_IS)]
    if faults:
        for obj in made:
            await api.delete(kind_of(obj), *place(obj))
        raise ApplicationError(faults)
    await asyncio.to_thread(prepare, application)
    out.created.extend(name_of(o) for o in made)
    for number in GROUPS:
        several = [(o, old, f) for o, old, f in zip(wanted, before, found, strict=True) if group(o) == number]
        out.unchanged.extend(name_of(o) for o, _, f in several if f == AS_IT_IS)
        await gathered([one(api, application, o, old, out) for o, old, f in several if f != AS_IT_IS])
    await prune(api, application, out)
    return out


async def gathered(several: Sequence[Any]) -> list[Any]:
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(s) for s in several]
    except BaseExceptionGroup as group:  # the caller waits for one kind of error, not for a bundle
        raise group.exceptions[0] from group
    return [t.result() for t in running]


async def missing(api: Api, obj: Obj) -> bool:
    return await current(api, obj) is None


async def current(api: Api, obj: Obj) -> Obj | None:
    try:
        return await api.get(kind_of(obj), *place(obj))
    except NotFound:
        return None


def autoscaled(objects: Sequence[Obj]) -> dict[tuple[str, str], tuple[int, int]]:
    """(namespace, Deployment) -> the bounds between which its autoscaler moves it."""
    return {
        (o["metadata"].get("namespace", ""), o["spec"]["scaleTargetRef"]["name"]): (
            o["spec"].get("minReplicas", 1),
            o["spec"]["maxReplicas"],
        )
        for o in objects
        if o["kind"] == "HorizontalPodAutoscaler"
    }


def settled_replicas(obj: Obj, old: Obj | None, scaled: dict[tuple[str, str], tuple[int, int]]) -> Obj:
    """An autoscaler's number stays where it is: a second `up` must not take instances away under load."""
    if obj["kind"] != "Deployment" or old is None or place(obj) not in scaled:
        return obj
    least, most = scaled[place(obj)]
    here = old["spec"].get("replicas", 1)
    return {**obj, "spec": {**obj["spec"], "replicas": max(least, min(most, here))}}


def told(application: Application, obj: Obj, error: StatusError) -> str:
    """The API's refusal, with the place of what it refuses."""
    at = application.places.get((obj["kind"], *place(obj)), "")
    return f"{at}: {name_of(obj)}: {error.message}" if at else f"{name_of(obj)}: {error.message}"


async def attempt(api: Api, application: Application, obj: Obj, old: Obj | None) -> str:
    """As a dry run: what is wrong with it, AS_IT_IS where it would change nothing, or nothing to say."""
    try:
        if replaced(obj, old):
            await try_anew(api, obj)
            return ""
        written = await write(api, obj, True)
    except StatusError as error:
        return told(application, obj, error)
    return AS_IT_IS if written.obj == old else ""


async def write(api: Api, obj: Obj, dry_run: bool) -> Any:
    options = WriteOptions(dry_run=dry_run, field_manager=MANAGER, field_validation="Strict", force=True)
    namespace, name = place(obj)
    return await api.patch(kind_of(obj), namespace, name, obj, style="apply", options=options)


async def try_anew(api: Api, obj: Obj) -> None:
    """What will take the place of another object, tried under a name that is free."""
    meta = {k: v for k, v in obj["metadata"].items() if k != "name"} | {"generateName": f"{obj['metadata']['name']}-"}
    options = WriteOptions(dry_run=True, field_manager=MANAGER, field_validation="Strict")
    await api.create(kind_of(obj), {**obj, "metadata": meta}, namespace=place(obj)[0], options=options)


def replaced(obj: Obj, old: Obj | None) -> bool:
    """What cannot be changed is made anew: a Job (a failed one is tried again), a Service that gets its first port."""
    if old is None or obj["kind"] not in ("Job", "Service"):
        return False
    if obj["kind"] == "Service":
        return bool(obj["spec"].get("clusterIP") == "None") != bool(old["spec"].get("clusterIP") == "None")
    was = (old["metadata"].get("annotations") or {}).get(MADE_FROM)
    failed = any(
        c["type"] == "Failed" and c["status"] == "True" for c in (old.get("status") or {}).get("conditions") or ()
    )
    own = (obj["metadata"].get("annotations") or {}).get(MADE_FROM)
    return (own is not None and was != own) or failed


async def one(api: Api, application: Application, obj: Obj, old: Obj | None, out: Applied) -> None:
    if replaced(obj, old):
        await gone(api, obj)
    try:
        written = await write(api, obj, False)
    except StatusError as error:
        raise ApplicationError([told(application, obj, error)]) from error
    out.warnings.extend(f"{name_of(obj)}: {w}" for w in written.warnings)
    if old is None:
        out.created.append(name_of(obj))
    elif written.obj["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"]:
        # a status written meanwhile is no change of ours
        same = json.dumps(written.obj.get("spec")) == json.dumps(old.get("spec")) and same_meta(written.obj, old)
        same = same and all(written.obj.get(k) == old.get(k) for k in ("data", "binaryData", "type"))
        (out.unchanged if same else out.changed).append(name_of(obj))
    else:
        out.unchanged.append(name_of(obj))


def same_meta(new: Obj, old: Obj) -> bool:
    return all(new["metadata"].get(k) == old["metadata"].get(k) for k in ("labels", "annotations"))


async def gone(api: Api, obj: Obj) -> None:
    """Deletes it and waits until its name is free."""
    kind, (namespace, name) = kind_of(obj), place(obj)
    page = await api.list(kind, namespace, ListOptions(fields=f"metadata.name={name}"))
    try:
        await api.delete(kind, namespace, name, DeleteOptions(propagation="Background"))
    except NotFound:
        return
    async for change in api.watch(kind, namespace, fields=f"metadata.name={name}", since=page.revision):
        if change.type == "DELETED":
            return


async def prune(api: Api, application: Application, out: Applied) -> None:
    named = {(kind_of(o), *place(o)) for o in application.objects}
    labels = {o["metadata"].get("labels", {}).get(PROJECT) for o in application.objects}
    options = ListOptions(labels=f"{PROJECT} in ({','.join(sorted(filter(None, labels)))})")
    pages = await gathered([api.list(kind, None, options) for kind in PRUNED])
    for page in pages:
        for entry in page.entries:
            meta = entry.obj["metadata"]
            ours = any(m.get("manager") == MANAGER for m in meta.get("managedFields") or ())
            if tuple(entry.key) in named or not ours:
                continue
            try:
                await api.delete(
                    entry.key.kind, entry.key.namespace, entry.key.name, DeleteOptions(propagation="Background")
                )
                out.removed.append(f"{entry.obj.get('kind', entry.key.kind).lower()}/{meta['name']}")
            except NotFound:
                pass
