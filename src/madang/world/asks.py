"""What the user of the simulated house asks for, again and again until it is acknowledged, as a patient client does.

In: a world, the words of a `Deed`. Out: objects, and in `world.wanted` what must stand there in the end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from madang.ports.api import Api, DeleteOptions
from madang.ports.errors import AlreadyExists, NotFound, StatusError
from madang.ports.objects import Obj
from madang.world.life import Ended
from madang.world.manifests import HALF, NAMESPACE, REQUEST_CORES, autoscaler, deployment, job, service, settings
from madang.world.world import Wanted, World

DEPLOYMENTS, JOBS, SCALERS = "deployments.apps", "jobs.batch", "horizontalpodautoscalers.autoscaling"


async def until_done(world: World, write: Callable[[Api], Awaitable[Any]]) -> None:
    """Conflicts, 503s and a dead control are all answered by asking again."""
    while True:
        try:
            await world.call(write)
            return
        except (Ended, StatusError) as error:
            if isinstance(error, StatusError) and error.code in (400, 403, 422) and not terminating(error):
                world.breach("asked", f"the user was refused: {error}")
                return
            await asyncio.sleep(0.05)


def terminating(error: StatusError) -> bool:
    causes = (error.details or {}).get("causes") or ()
    return any(c.get("reason") == "NamespaceTerminating" for c in causes)


async def made(api: Api, kind: str, obj: Obj) -> None:
    try:
        await api.create(kind, obj, namespace=obj["metadata"].get("namespace", ""))
    except AlreadyExists:
        return  # an earlier try that nobody heard of


async def create_service(world: World, name: str, replicas: int, unavailable: int) -> None:
    wanted = Wanted(replicas, unavailable)
    world.wanted[name] = wanted
    await until_done(world, lambda api: made(api, DEPLOYMENTS, deployment(name, replicas, unavailable)))
    await until_done(world, lambda api: made(api, "services", service(name)))


async def roll_out(world: World, name: str, version: str) -> None:
    container = {"name": "main", "env": [{"name": "VERSION", "value": version}]}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}

    async def patched(api: Api) -> None:
        try:
            await api.patch(DEPLOYMENTS, NAMESPACE, name, patch, style="strategic")
            world.wanted[name].version = version
        except NotFound:
            return  # it was removed, or never made

    await until_done(world, patched)


async def scale(world: World, name: str, replicas: int) -> None:
    async def scaled(api: Api) -> None:
        try:
            await api.patch(DEPLOYMENTS, NAMESPACE, name, {"spec": {"replicas": replicas}}, subresource="scale")
            world.wanted[name].replicas = replicas
        except NotFound:
            return

    await until_done(world, scaled)


async def remove_service(world: World, name: str, propagation: str) -> None:
    async def removed(api: Api) -> None:
        for kind in (DEPLOYMENTS, "services"):
            try:
                options = DeleteOptions(propagation=propagation)  # type: ignore[arg-type]  # one of the API's words
                await api.delete(kind, NAMESPACE, name, options)
            except NotFound:
                continue

    if name in world.wanted:
        world.wanted[name].there = False
        await until_done(world, removed)


async def configure(world: World, level: int) -> None:
    """Pods that show it wait until it is there, and show its newest state in the end."""

    async def written(api: Api) -> None:
        try:
            await api.create("configmaps", settings(level), namespace=NAMESPACE)
        except AlreadyExists:
            await api.update("configmaps", settings(level))

    await until_done(world, written)
    world.level = level


async def autoscale(world: World, name: str, least: int, most: int) -> None:
    """From now on its size is the autoscaler's."""
    if name in world.wanted:
        world.wanted[name].least, world.wanted[name].most = least, most
        await until_done(world, lambda api: made(api, SCALERS, autoscaler(name, least, most)))


async def load(world: World, name: str, pods: int) -> None:
    """As much as `pods` of them carry at half of what they request: half a pod less, so that it is no close call."""
    if name in world.wanted:
        world.wanted[name].carries = pods
        world.machine.loads[name] = (pods - 0.5) * REQUEST_CORES * HALF / 100


async def run_job(world: World, name: str, completions: int) -> None:
    await until_done(world, lambda api: made(api, JOBS, job(name, completions)))
    world.jobs[name] = completions


async def write_notes(world: World, times: int) -> None:
    """A counter in a ConfigMap, read, changed and written back: no count may be lost. Two of them may run at once."""
    empty: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes", "namespace": NAMESPACE}}
    await until_done(world, lambda api: made(api, "configmaps", {**empty, "data": {}}))
    for number in range(times):
        world.notes += 1
        mine = f"{world.notes}"

        async def counted(api: Api, mine: str = mine, number: int = number) -> None:
            found = await api.get("configmaps", NAMESPACE, "notes")
            data = {**(found.get("data") or {})}
            if mine in data:
                return
            await asyncio.sleep(0.001)
            await api.update("configmaps", {**found, "data": {**data, mine: str(number)}})

        await until_done(world, counted)
        world.noted.add(mine)


async def whole_namespace(world: World, name: str) -> None:
    """Filled, and deleted while it is being filled."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await until_done(world, lambda api: made(api, "namespaces", namespace))
    await until_done(world, lambda api: made(api, DEPLOYMENTS, deployment("in", 2, 0, name)))
    await until_done(world, lambda api: made(api, "services", service("in", name)))
    await asyncio.sleep(0.5)

    async def removed(api: Api) -> None:
        try:
            await api.delete("namespaces", "", name)
        except NotFound:
            return

    await until_done(world, removed)
    world.gone.add(name)


ASKS: dict[str, Callable[..., Awaitable[None]]] = {
    "create service": create_service,
    "roll out": roll_out,
    "scale": scale,
    "remove service": remove_service,
    "configure": configure,
    "autoscale": autoscale,
    "load": load,
    "run job": run_job,
    "write notes": write_notes,
    "whole namespace": whole_namespace,
}
