"""What strikes the simulated house, one function a fault, and how it is healed.

In: a world, the words of a `Deed`, dice. Out: trouble, counted in the tally where it happens.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from madang.ports.api import Api, DeleteOptions
from madang.ports.errors import AlreadyExists, NotFound, StatusError
from madang.ports.settings import BROKEN
from madang.world.life import Ended
from madang.world.machine import Moods, Program
from madang.world.manifests import NAMESPACE
from madang.world.world import World

Strike = Callable[..., Awaitable[None]]


async def kill(world: World, chance: random.Random, steps: int) -> None:
    if world.life is not None and not world.life.pulse.dead:
        world.life.pulse.fatal = world.life.pulse.steps + steps


async def kill_after(world: World, chance: random.Random, *steps: int) -> None:
    """Each life after so many of its own steps."""
    world.fatal = steps
    if world.life is not None and world.lives <= len(steps):
        world.life.pulse.fatal = steps[world.lives - 1]


async def kill_in_fsync(world: World, chance: random.Random, fate: str) -> None:
    world.disk.fate = fate  # type: ignore[assignment]  # one of the disk's words


async def leave(world: World, chance: random.Random) -> None:
    if world.life is not None and world.life.ready:
        try:
            await world.life.leave()
            world.tally["leave"] += 1
        except Ended:
            return  # killed while it left


async def disk_full(world: World, chance: random.Random, seconds: float) -> None:
    world.disk.full = chance.choice((1.0, 0.5))
    await asyncio.sleep(seconds)
    world.disk.full, world.disk.well_since_s = 0.0, world.clock.monotonic_s()


async def disk_slow(world: World, chance: random.Random, seconds: float) -> None:
    world.disk.slow_s = 0.4
    await asyncio.sleep(seconds)
    world.disk.slow_s, world.disk.well_since_s = 0.0, world.clock.monotonic_s()


async def watch_cut(world: World, chance: random.Random) -> None:
    if world.life is not None and world.life.ready and not world.life.pulse.dead:
        world.tally["watch cut"] += bool(world.life.cut_watches())


async def clock(world: World, chance: random.Random, seconds: float) -> None:
    world.clock.jump(seconds)
    world.tally["clock forward" if seconds > 0 else "clock back"] += 1


def _servers(world: World) -> list[Program]:
    return [p for p in world.machine.alive if p.launch.argv[0] == "serve"]


async def crash(world: World, chance: random.Random) -> None:
    if found := world.machine.alive:
        world.machine.end(chance.choice(found), chance.choice((0, 1, 139)))
        world.tally["program crashes"] += 1


async def memory(world: World, chance: random.Random) -> None:
    if found := world.machine.alive:
        world.machine.end(chance.choice(found), 137, 9, "OOMKilled")
        world.tally["program killed for memory"] += 1


async def hang(world: World, chance: random.Random, seconds: float) -> None:
    if found := _servers(world):
        program = chance.choice(found)
        program.hung = True
        world.tally["program hangs"] += 1
        program.stuck = seconds > 1.1  # only its liveness probe can help
        await asyncio.sleep(seconds * 3)
        program.hung = False


async def lie(world: World, chance: random.Random, seconds: float) -> None:
    if found := _servers(world):
        program = chance.choice(found)
        program.lies = True
        await asyncio.sleep(seconds * 2)
        program.lies = False


async def cannot_start(world: World, chance: random.Random, seconds: float) -> None:
    world.machine.moods.cannot_start = 0.5
    await asyncio.sleep(seconds)
    world.machine.moods.cannot_start = 0.0


async def machine_refuses(world: World, chance: random.Random, seconds: float) -> None:
    world.machine.moods.refuses = 0.5
    await asyncio.sleep(seconds)
    world.machine.moods.refuses = 0.0


async def no_address(world: World, chance: random.Random, seconds: float) -> None:
    world.machine.moods.no_address = 0.5
    await asyncio.sleep(seconds)
    world.machine.moods.no_address = 0.0


async def cordon(world: World, chance: random.Random, seconds: float) -> None:
    name = f"node-{chance.randrange(world.nodes) + 1}"
    if await _tried(world, lambda api: api.patch("nodes", "", name, {"spec": {"unschedulable": True}})):
        world.tally["node cordoned"] += 1
    await asyncio.sleep(seconds)
    await _tried(world, lambda api: api.patch("nodes", "", name, {"spec": {"unschedulable": None}}))


async def vanish(world: World, chance: random.Random) -> None:
    name = f"node-{chance.randrange(world.nodes) + 1}"
    if await _tried(world, lambda api: api.delete("nodes", "", name)):
        world.tally["node vanishes"] += 1


async def break_node(world: World, chance: random.Random, how: str, seconds: float) -> None:
    """Its agent is gone, or its machine; sometimes somebody takes it out of the list meanwhile."""
    name = f"node-{chance.randrange(world.nodes) + 1}"
    world.broken_nodes.add(name)
    if not await _tried(world, lambda api: api.patch("nodes", "", name, {"metadata": {"annotations": {BROKEN: how}}})):
        return
    world.tally["node hangs" if how == "hang" else "node killed"] += 1
    await asyncio.sleep(seconds)
    if chance.random() < 0.35 and await _tried(world, lambda api: api.delete("nodes", "", name)):
        world.tally["broken node deleted"] += 1
    else:
        await _tried(world, lambda api: mended(api, name))


async def mended(api: Api, name: str) -> None:
    """The node works again; one that is not in the list any more is put there."""
    try:
        await api.patch("nodes", "", name, {"metadata": {"annotations": {BROKEN: None}}})
    except NotFound:
        with suppress(AlreadyExists):
            await api.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})


async def delete_pod(world: World, chance: random.Random, grace: int | None, steps: int) -> None:
    """`steps`: so soon afterwards the control process is killed, and may not have seen it."""
    life = world.life
    if life is None or not life.ready or life.pulse.dead:
        return
    pods = sorted(p["metadata"]["name"] for p in life.api.view.list("pods", NAMESPACE))
    if pods:
        name = chance.choice(pods)
        if await _tried(world, lambda api: api.delete("pods", NAMESPACE, name, DeleteOptions(grace_s=grace))):
            world.tally["pod deleted" if grace is None else "pod deleted at once"] += 1
            if steps:
                await kill(world, chance, steps)


async def _tried(world: World, write: Callable[[Api], Awaitable[object]]) -> bool:
    try:
        await world.call(write)
    except (Ended, StatusError):
        return False
    return True


def heal(world: World) -> None:
    """From now on nothing strikes."""
    if world.disk.full or world.disk.slow_s:
        world.disk.well_since_s = world.clock.monotonic_s()
    world.disk.full, world.disk.slow_s, world.disk.fate = 0.0, 0.0, None
    world.machine.moods = Moods()
    for program in world.machine.programs.values():
        program.hung = program.lies = False
    if world.life is not None:
        world.life.pulse.fatal = 0


STRIKES: dict[str, Strike] = {
    "kill": kill,
    "kill after": kill_after,
    "kill in fsync": kill_in_fsync,
    "leave": leave,
    "disk full": disk_full,
    "disk slow": disk_slow,
    "watch cut": watch_cut,
    "clock": clock,
    "crash": crash,
    "memory": memory,
    "hang": hang,
    "lie": lie,
    "cannot start": cannot_start,
    "machine refuses": machine_refuses,
    "no address": no_address,
    "cordon": cordon,
    "vanish": vanish,
    "break node": break_node,
    "delete pod": delete_pod,
}
