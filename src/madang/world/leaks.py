"""What a life holds on to: it must be as little after many deeds as it is after a fresh start.

In: a life that rests. Out: what it does (tasks by name), and sentences about what it still holds though nothing is
left to do: keys, writes, Events, workers, watches, timers.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from madang.loops.controller_loop import ControllerLoop
from madang.loops.recorder import Recorder
from madang.loops.scheduler import Scheduler
from madang.node.events import Recorder as NodeRecorder
from madang.node.worker.status_writer import StatusWriter
from madang.world.life import Life
from madang.world.loop import VirtualLoop
from madang.world.world import World

STALE = 64  # delays that were shortened may wait beside the shorter ones for a while
HOLDERS = frozenset((ControllerLoop, Scheduler, Recorder, NodeRecorder, StatusWriter))
# Pauses of somebody, and workers that came while others were busy: how many there are is chance.
WAITING = ("Event.wait", "sleep", "ControllerLoop._work")


def census(loop: VirtualLoop) -> Counter[str]:
    """The living tasks by what they do, the world's own left out."""
    found = (getattr(task.get_coro(), "__qualname__", "") for task in loop.living() if not ours(task))
    return Counter(name for name in found if name not in WAITING)


def ours(task: "asyncio.Task[Any]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is None or "/world/" in code.co_filename


def held(world: World, life: Life) -> Iterator[str]:
    """Everything was done: no queue holds anything, and what is remembered is of objects that are there."""
    desk = life.api.desk
    pods = {p["metadata"]["uid"]: p for p in life.api.view.list("pods")}
    bound = {uid for uid, p in pods.items() if p["spec"].get("nodeName") and not _ended(p)}
    for thing in gc.get_objects():
        if type(thing) not in HOLDERS or thing._api.desk is not desk:
            continue
        match thing:
            case ControllerLoop():
                yield from _queue(thing.name, thing.queue)
            case Scheduler():
                if thing._waiting or thing._binding or thing._stuck:
                    yield f"the scheduler still holds {[*thing._waiting, *thing._binding, *thing._stuck]}"
                if set(thing.tally.where) != bound:
                    yield f"the scheduler counts {len(thing.tally.where)} pods, and {len(bound)} are bound"
            case Recorder():
                if thing._waiting.qsize():
                    yield f"{thing._component} has {thing._waiting.qsize()} Events to write"
            case NodeRecorder():
                if thing._dirty:
                    yield f"{thing._host} has {len(thing._dirty)} Events to write"
            case StatusWriter():
                if thing._queue and thing._uid in pods:
                    yield f"the status of pod {thing._name} waits to be written"
    workers = {w.work.uid for agent in life.agents.agents for w in agent.workers}
    if workers - bound:
        yield f"workers are left of pods {sorted(workers - bound)}"
    yield from _changed(life)
    store = life.store
    if store._pipeline._newest or store._pipeline._waiting:
        yield f"{len(store._pipeline._newest)} writes were never committed"
    if len(store._history._marks) > max(world.plan.window, 512):
        yield f"the history holds {len(store._history._marks)} changes, its window {world.plan.window}"


def _changed(life: Life) -> Iterator[str]:
    """Decoded objects are shared by all who read: nobody may have changed one."""
    for kind in life.store._tables:
        for entry in life.store.list(kind).entries:
            if entry.obj != orjson.loads(entry.data):
                yield f"{entry.key} was changed by somebody who read it"


def _queue(name: str, queue: Any) -> Iterator[str]:
    if len(queue) or queue._dirty or queue._busy or queue._failures:
        yield f"{name} still holds {[*queue._dirty, *queue._busy, *queue._failures][:6]}"
    if len(queue._heap) > len(queue._due) + STALE:
        yield f"{name} has {len(queue._heap)} delays for {len(queue._due)} keys"


def left(life: Life, loop: VirtualLoop) -> Iterator[str]:
    """After it has left in order nothing of it is there."""
    if tasks := census(loop):
        yield f"tasks outlive it: {dict(tasks)}"
    if timers := loop.timers(life.pulse):
        yield f"{len(timers)} timers outlive it: {timers[0]._callback!r}"
    if watches := [kind for kind, cursors in life.store._watchers._open.items() if cursors]:
        yield f"watches outlive it: {watches}"


def _ended(pod: Any) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
