"""Starts containers: image, environment and mounts first, each of which may be refused in the kubelet's words.

In: a container and the number of the attempt. Out: a running container in the facts, or why there is none.
"""

import shutil

from madang.node.images.images import NotHere, pull_events, waiting
from madang.node.pod.facts import Container, Refusal
from madang.node.pod.spec import Role
from madang.node.probes.runner import at_once, probe_of
from madang.node.runtimes.runtime import Launch, Running
from madang.node.worker.fetching import Fetching
from madang.node.worker.following import Following
from madang.node.worker.launching import Declined, Launching
from madang.node.worker.work import PodWork

_RETRY_S = (1.0, 10.0, 300.0)  # first, second and longest pause before a refused start is tried again
SOON_S = 5.0  # the longest where the machine refused: a full disk, too many processes


class Starter:
    def __init__(self, work: PodWork, launching: Launching, following: Following, fetching: Fetching) -> None:
        self._work, self._launching, self._following, self._fetching = work, launching, following, fetching

    async def start(self, role: Role, attempt: int) -> None:
        c = self._work.facts.of(role.name)
        try:
            launch = await self._prepare(role, c, attempt)
            if launch is not None:
                async with self._work.kit.starts:
                    running = await self._work.runtime.start(launch)
                self._begun(role, c, attempt, running)
        except OSError as e:
            self._refuse(role, c, "CreateContainerError", f"{e.strerror or e}", SOON_S)
        finally:
            c.starting = False

    async def _prepare(self, role: Role, c: Container, attempt: int) -> Launch | None:
        """The launch; None where it is refused, which then stands in the facts and the events."""
        reference = role.spec.get("image") or ""
        if why := self._work.chosen.missing:  # the image would be of no use
            self._refuse(role, c, "CreateContainerError", why)
            return None
        said = await self._fetching.fetched(role)
        program = said if isinstance(said, NotHere) else self._launching.program(role)
        if isinstance(program, NotHere):
            self._not_here(role, c, reference, program)
            return None
        c.image, c.image_id = reference, self._launching.image_id(role)
        self._work.emit("Normal", "Pulled", str(said), role)
        try:
            launch = await self._launching.launch(role, attempt, program)
        except Declined as e:
            self._refuse(role, c, e.reason, str(e))
            return None
        await self._work.kit.aside(self._work.chosen.keep)
        self._forget_old(role, attempt)
        self._work.emit("Normal", "Created", "Container created", role)
        return launch

    def _begun(self, role: Role, c: Container, attempt: int, running: Running) -> None:
        if c.exit is not None:
            c.last = c.exit
        c.attempt, c.exit, c.stop, c.refusal = attempt, None, None, None
        c.unhealthy, c.backing_off, c.ready_since_s = "", False, None
        if running.failed is not None:
            self._following.ended(role, c, running.failed)
            self._work.emit("Warning", "Failed", f"Error: {running.failed.message}", role)
            return
        c.running = running
        c.started = not probe_of(role, "startup") and not (role.spec.get("lifecycle") or {}).get("postStart")
        c.ready = c.started and at_once(role, self._work.pod)
        if c.ready:
            c.ready_since_s = self._work.kit.clock.monotonic_s()
        self._work.emit("Normal", "Started", "Container started", role)
        self._following.watch(role, running)

    def _not_here(self, role: Role, c: Container, reference: str, why: NotHere) -> None:
        tries = c.refusal.tries + 1 if c.refusal is not None else 1
        if why.retry_s is not None:
            c.refusal = Refusal(why.reason, why.message, self._work.kit.clock.monotonic_s() + why.retry_s, tries)
            return
        for type_, reason, message in pull_events(reference, why, tries):
            self._work.emit(type_, reason, message, role)
        reason, message = waiting(reference, why, tries)
        c.refusal = Refusal(reason, message, self._retry_at(tries), tries)

    def _refuse(self, role: Role, c: Container, reason: str, message: str, most_s: float = _RETRY_S[2]) -> None:
        tries = c.refusal.tries + 1 if c.refusal is not None else 1
        c.refusal = Refusal(reason, message, self._retry_at(tries, most_s), tries)
        self._work.emit("Warning", "Failed", f"Error: {message}", role)

    def _retry_at(self, tries: int, most_s: float = _RETRY_S[2]) -> float:
        first, second, _ = _RETRY_S
        return self._work.kit.clock.monotonic_s() + (first if tries == 1 else min(second * 2 ** (tries - 2), most_s))

    def _forget_old(self, role: Role, attempt: int) -> None:
        """Keep the records and logs of the last attempt; older ones go."""
        folders = self._work.folders
        for number in folders.numbers(role.name):
            if number < attempt - 1:
                self._work.spawn(self._remove(role, number))

    async def _remove(self, role: Role, number: int) -> None:
        folders = self._work.folders
        await self._work.runtime.remove(folders.attempt(role.name, number))

        def remove() -> None:
            shutil.rmtree(folders.attempt(role.name, number), ignore_errors=True)
            folders.termination_log(role.name, number).unlink(missing_ok=True)
            for path in folders.log(role.name, number).parent.glob(f"{number}.log*"):
                path.unlink(missing_ok=True)

        await self._work.kit.aside(remove)
