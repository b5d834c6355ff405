"""The hand of a pod worker: carries out what was decided, and puts into the facts what came of it.

In: actions. Out: effects on network, volumes and runtime, events, facts. What takes time runs as a task of its own,
is marked in the facts from the start, and wakes the worker when it is over.
"""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from madang.node.container import ContainerHand
from madang.node.farewell import finish
from madang.node.kit import Kit
from madang.node.launch import Folders
from madang.node.pod import actions as do
from madang.node.pod import spec
from madang.node.pod.container_status import full_name
from madang.node.pod.facts import Stop
from madang.node.pod.status import OVERDUE
from madang.node.sandbox import SandboxHand
from madang.ports.objects import Obj

if TYPE_CHECKING:
    from madang.node.worker import PodWorker


class Hand:
    def __init__(self, kit: Kit, worker: "PodWorker") -> None:
        self._kit, self._worker = kit, worker
        self._facts = worker.facts
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.sandbox = SandboxHand(kit, worker, self)
        self.containers = ContainerHand(kit, worker, self)

    @property
    def pod(self) -> Obj:
        return self._worker.pod

    @property
    def folders(self) -> Folders:
        return Folders(self._kit.home, self.pod)

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside the worker, which is woken at the end."""
        assert self._group is not None
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._worker.wake()

    def emit(self, type_: str, reason: str, message: str, field_path: str = "") -> None:
        self._kit.events.emit({"kind": "Pod", "apiVersion": "v1", **self.pod}, type_, reason, message, field_path)

    def do(self, action: do.Action) -> None:
        match action:
            case do.Prepare():
                self._facts.sandbox = "preparing"
                self.spawn(self.sandbox.prepare())
            case do.Release():
                self._facts.sandbox = "releasing"
                self.spawn(self.sandbox.release())
            case do.Expire():
                self._facts.overdue = True
                self.emit("Normal", "DeadlineExceeded", OVERDUE)
            case do.Finish(how):
                self._facts.finishing = True
                self.spawn(finish(self._kit, self._worker, how))
            case do.BackOff(name):
                self._facts.of(name).backing_off = True
                message = f"Back-off restarting failed container {name} in pod {full_name(self.pod)}"
                self.emit("Warning", "BackOff", message, spec.role(self.pod, name).field_path)
            case do.BeginStop(name, signal_at_s, deadline_s, message):
                self._facts.of(name).stop = Stop(signal_at_s, deadline_s)
                self.emit("Normal", "Killing", message, spec.role(self.pod, name).field_path)
            case do.WakeAt():
                raise RuntimeError("the worker waits by itself")
            case _:
                self.containers.do(action)
