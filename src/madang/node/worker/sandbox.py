"""The hand on what the containers of a pod share: its address, its volumes, its hosts file.

In: the pod. Out: a sandbox that is ready, or the refusal and its event; at the end everything given back.
"""

import asyncio
from functools import partial
from pathlib import Path

from madang.kinds.claims import VOLUMES
from madang.node.containers.security import forbidden_sysctl
from madang.node.names.hosts import hostname
from madang.node.names.hosts import write as write_hosts
from madang.node.networks.network import Attachment
from madang.node.pod.facts import Doom, Refusal
from madang.node.pod.ignored import ignored
from madang.node.pod.ignored import message as ignored_message
from madang.node.volumes.content import Refused
from madang.node.volumes.volumes import tells_address
from madang.node.worker.work import PodWork
from madang.ports.errors import StatusError
from madang.ports.objects import Obj

_MOUNT_RETRY_S = (0.5, 122.0)  # a kubelet's own
_SANDBOX_RETRY_S = (1.0, 60.0)


class SandboxHand:
    def __init__(self, work: PodWork) -> None:
        self._work, self._kit = work, work.kit
        self.attachment: Attachment | None = None
        self.volumes: dict[str, Path] | None = None
        self._turn = asyncio.Lock()  # of those who bring the volumes up to date

    async def prepared_volumes(self) -> dict[str, Path]:
        """Where each volume lies; made now where they are not yet (an adopted pod). Raises Refused."""
        if self.volumes is None:
            await self.refresh_volumes()
        assert self.volumes is not None
        return self.volumes

    async def refresh_volumes(self) -> None:
        view, namespace = self._kit.api.view, self._work.namespace
        place = self._kit.place(self._work.facts.ip)

        def lookup(kind: str, name: str) -> Obj | None:
            return view.get(kind, "" if kind == VOLUMES else namespace, name)

        async with self._turn:
            made = await self._kit.volumes.prepare(self._work.pod, lookup, place)
        self.volumes = made

    def renew(self) -> None:
        """Bring the volumes up to date beside whatever else is done."""
        work = self._renew()
        try:
            self._work.spawn(work)
        except RuntimeError:  # this worker has broken: the one that takes its place makes them anew
            work.close()

    async def _renew(self) -> None:
        try:
            await self.refresh_volumes()
        except Refused as e:
            self._work.emit("Warning", "FailedMount", str(e))

    async def keep_tokens(self) -> None:
        """Renew the tokens in the pod's volumes before they expire."""
        every = self._kit.volumes.refresh_s(self._work.pod)
        while every is not None:
            await self._kit.clock.sleep(every)
            await self._renew()

    async def prepare(self) -> None:
        """Network and volumes beside each other, unless a volume tells of the address; neither waits for anything that
        another pod does."""
        if self._work.chosen.in_container and (why := forbidden_sysctl(self._work.pod)):
            self._reject(Doom("SysctlForbidden", why))
            return
        try:
            if self.attachment is not None or tells_address(self._work.pod):
                await self._connect()
                await self.refresh_volumes()
            else:
                both = await asyncio.gather(self._connect(), self.refresh_volumes(), return_exceptions=True)
                for fault in both:
                    if fault is not None:
                        raise fault
            await self._write_names()
        except Refused as e:
            self._refuse("FailedMount", str(e), _MOUNT_RETRY_S)
        except (OSError, StatusError) as e:
            self._refuse("FailedCreatePodSandBox", f"Failed to create pod sandbox: {e}", _SANDBOX_RETRY_S)
        else:
            self._work.facts.refusal = None
            self._work.facts.sandbox = "ready"
            self._name_ignored()

    def _reject(self, why: Doom) -> None:
        """It asks for what it will never be given: it has failed before it began."""
        self._work.facts.doom, self._work.facts.sandbox = why, "none"
        self._work.emit("Warning", *why)

    async def _write_names(self) -> None:
        """Until they hold: Services that come while we write are not told to a sandbox that isn't ready."""
        written: tuple[str, str] | None = None
        while (parts := self._kit.names.parts(self._work.pod, self._work.facts.ip)) != written:
            await self._kit.aside(partial(write_hosts, self._work.folders.hosts, "".join(parts)))
            written = parts

    def _name_ignored(self) -> None:
        runtime = self._work.chosen.runtime
        on_host = runtime is not None and runtime.name == "host"
        paths = ignored(self._work.pod, mounts=runtime.private_mounts) if runtime is not None and on_host else []
        if paths:
            self._work.emit("Warning", "FieldsIgnored", ignored_message(paths))

    def _refuse(self, reason: str, message: str, retry_s: tuple[float, float]) -> None:
        before = self._work.facts.refusal
        tries = before.tries + 1 if before is not None and before.reason == reason else 1
        delay = min(retry_s[0] * 2 ** (tries - 1), retry_s[1])
        self._work.facts.refusal = Refusal(reason, message, self._kit.clock.monotonic_s() + delay, tries)
        self._work.facts.sandbox = "none"
        self._work.emit("Warning", reason, message)

    async def _connect(self) -> None:
        if self.attachment is None:
            self.attachment = await self._attach()
        self._work.facts.ip = self.attachment.ip

    async def _attach(self) -> Attachment:
        if self._work.pod["spec"].get("hostNetwork"):
            return Attachment(self._kit.host_ip)
        uid = self._work.uid
        found = self._kit.network.attached().get(uid)
        return found or await self._kit.network.attach(uid, hostname(self._work.pod), self._kit.number)

    async def release(self) -> None:
        if not self._work.pod["spec"].get("hostNetwork"):
            await self._kit.network.detach(self._work.uid)
        self.attachment = None
        self._work.facts.sandbox = "released"
