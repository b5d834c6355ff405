"""A pod at work: what its worker and all of its hands share, and what stands below them.

In: the kit, the pod's object. Out: the facts, tasks that run beside the worker, events, and the bell that wakes it.
Nothing here decides, and nothing here knows who works.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from madang.node.kit import Kit
from madang.node.launch.folders import Folders
from madang.node.pod.facts import Facts
from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Runtime
from madang.node.worker.chosen import Chosen
from madang.ports.objects import Obj


class PodWork:
    """`pod` is the newest object that is known; `bell` rings when there may be something to do."""

    def __init__(self, kit: Kit, pod: Obj) -> None:
        self.kit, self.pod = kit, pod
        self.facts = Facts()
        self._folders = Folders(kit.home, pod)
        self.bell = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.chosen = Chosen(kit, lambda: self.folders)

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def folders(self) -> Folders:
        if self._folders.pod is not self.pod:
            self._folders = Folders(self.kit.home, self.pod)
        return self._folders

    @property
    def runtime(self) -> Runtime:
        """What already runs must be stopped and forgotten by somebody, also where the name means nothing here."""
        return self.chosen.runtime or self.kit.runtimes[self.kit.runtime]

    def wake(self) -> None:
        self.bell.set()

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
        self.wake()

    def emit(self, type_: str, reason: str, message: str, role: Role | None = None) -> None:
        """An event about the pod, or about one of its containers."""
        subject = {"kind": "Pod", "apiVersion": "v1", **self.pod}
        self.kit.events.emit(subject, type_, reason, message, role.field_path if role is not None else "")
