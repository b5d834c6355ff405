"""The hand of a pod worker: carries out what was decided, and puts into the facts what came of it.

In: actions. Out: effects on network, volumes and runtime, events, facts. What takes time runs as a task of its own,
is marked in the facts from the start, and wakes the worker when it is over.
"""

import asyncio
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from madang.node.container import ContainerHand
from madang.node.hosts import hostname
from madang.node.hosts import write as write_hosts
from madang.node.kit import Kit
from madang.node.launch import Folders
from madang.node.names import hosts_text
from madang.node.networks.network import Attachment
from madang.node.pod import actions as do
from madang.node.pod import spec
from madang.node.pod.container_status import full_name
from madang.node.pod.facts import Refusal, Stop
from madang.node.pod.phase import TERMINAL
from madang.node.pod.status import OVERDUE
from madang.node.volumes.content import Refused
from madang.ports.api import DeleteOptions
from madang.ports.errors import Conflict, NotFound, StatusError
from madang.ports.objects import Obj

if TYPE_CHECKING:
    from madang.node.worker import PodWorker

_MOUNT_RETRY_S = (0.5, 122.0)  # a kubelet's own
_SANDBOX_RETRY_S = (1.0, 60.0)


class Hand:
    def __init__(self, kit: Kit, worker: "PodWorker") -> None:
        self._kit, self._worker = kit, worker
        self._facts = worker.facts
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.attachment: Attachment | None = None
        self.volumes: dict[str, Path] | None = None
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
                self.spawn(self._prepare())
            case do.Release():
                self._facts.sandbox = "releasing"
                self.spawn(self._release())
            case do.Expire():
                self._facts.overdue = True
                self.emit("Normal", "DeadlineExceeded", OVERDUE)
            case do.Finish(how):
                self._facts.finishing = True
                self.spawn(self._finish(how))
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

    async def prepared_volumes(self) -> dict[str, Path]:
        """Where each volume lies; made now where they are not yet (an adopted pod). Raises Refused."""
        if self.volumes is None:
            await self.refresh_volumes()
        assert self.volumes is not None
        return self.volumes

    async def refresh_volumes(self) -> None:
        view, namespace = self._kit.api.view, self.pod["metadata"]["namespace"]
        place = self._kit.place(self._facts.ip)
        self.volumes = await self._kit.volumes.prepare(self.pod, lambda k, n: view.get(k, namespace, n), place)

    def renew(self) -> None:
        """Bring the volumes up to date beside whatever else is done."""
        self.spawn(self._renew())

    async def _renew(self) -> None:
        try:
            await self.refresh_volumes()
        except Refused as e:
            self.emit("Warning", "FailedMount", str(e))

    async def keep_tokens(self) -> None:
        """Renew the tokens in the pod's volumes before they expire."""
        every = self._kit.volumes.refresh_s(self.pod)
        while every is not None:
            await self._kit.clock.sleep(every)
            await self._renew()

    async def _prepare(self) -> None:
        """Network first, since volumes may tell of the address; neither waits for anything that another pod does."""
        try:
            if self.attachment is None:
                self.attachment = await self._attach()
            self._facts.ip = self.attachment.ip
            await self.refresh_volumes()
            write_hosts(self.folders.hosts, hosts_text(self._kit.api.view, self.pod, self._facts.ip))
        except Refused as e:
            self._refuse("FailedMount", str(e), _MOUNT_RETRY_S)
        except (OSError, StatusError) as e:
            self._refuse("FailedCreatePodSandBox", f"Failed to create pod sandbox: {e}", _SANDBOX_RETRY_S)
        else:
            self._facts.refusal = None
            self._facts.sandbox = "ready"

    def _refuse(self, reason: str, message: str, retry_s: tuple[float, float]) -> None:
        before = self._facts.refusal
        tries = before.tries + 1 if before is not None and before.reason == reason else 1
        delay = min(retry_s[0] * 2 ** (tries - 1), retry_s[1])
        self._facts.refusal = Refusal(reason, message, self._kit.clock.monotonic_s() + delay, tries)
        self._facts.sandbox = "none"
        self.emit("Warning", reason, message)

    async def _attach(self) -> Attachment:
        if self.pod["spec"].get("hostNetwork"):
            return Attachment(self._kit.host_ip)
        uid = self._worker.uid
        found = self._kit.network.attached().get(uid)
        return found or await self._kit.network.attach(uid, hostname(self.pod))

    async def _release(self) -> None:
        if not self.pod["spec"].get("hostNetwork"):
            await self._kit.network.detach(self._worker.uid)
        self.attachment = None
        self._facts.sandbox = "released"

    async def _finish(self, how: str) -> None:
        over = (self.pod.get("status") or {}).get("phase") in TERMINAL
        if how in ("status", "delete") and not over:
            self._worker.show(final=True)
        elif how == "leave" and not over:
            self._worker.show()
        if how != "forget":
            await self._worker.writer.drain()
        if how == "delete":
            await self._delete()
        await self._clean(how)
        self._facts.finished = True

    async def _delete(self) -> None:
        meta = self.pod["metadata"]
        pause = 0.1
        while True:
            try:
                await self._kit.api.delete(
                    "pods", meta["namespace"], meta["name"], DeleteOptions(grace_s=0, uid=meta["uid"])
                )
                return
            except (NotFound, Conflict):
                return
            except StatusError:
                await self._kit.clock.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _clean(self, how: str) -> None:
        """Forget the starts, and what lies on disk for no one any more. Volumes outlive a mere `leave`."""
        await self.containers.forget_all()
        if how != "leave":
            self._kit.volumes.remove(self._worker.uid)
            shutil.rmtree(self.folders.root, ignore_errors=True)
        if how in ("delete", "forget"):
            shutil.rmtree(self.folders.logs, ignore_errors=True)
