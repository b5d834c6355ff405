"""Sees to it that a container's image is here before it is started: by its pull policy, with a pause after a failure.

In: a container of a pod that runs in containers. Out: the text of its event `Pulled`, or why it cannot start yet.
`Always` asks the registry; where that cannot be asked, or does not know the image, what is here is used, and the event
says so: images may have been loaded or built here, and the courtyard holds without any registry.
"""

import asyncio
from dataclasses import dataclass

from madang.node.images.image import Image
from madang.node.images.images import NotHere, present
from madang.node.images.reference import Reference, parse
from madang.node.images.registry.pull import PullError
from madang.node.pod.spec import Role
from madang.node.pulling import words
from madang.node.pulling.puller import Puller
from madang.node.pulling.secrets import Credentials, credentials, unusable
from madang.node.worker.work import PodWork

SHOW_S = 1.0  # how long a container says ErrImagePull before it says ImagePullBackOff
LOOK_S = 5.0  # while it waits: somebody may load the image meanwhile


@dataclass(slots=True)
class _Pause:
    until_s: float  # steady
    pause_s: float
    why: str
    told: bool = False


class Fetching:
    def __init__(self, work: PodWork) -> None:
        self._work, self._kit = work, work.kit
        self._pauses: dict[str, _Pause] = {}  # by reference
        self._limits: dict[str, asyncio.Timeout] = {}  # by container: who waits for a pull

    async def fetched(self, role: Role) -> NotHere | str:
        """The event's text also where the image is no image, or its name is none: others say so."""
        reference = str(role.spec.get("image") or "")
        policy = role.spec.get("imagePullPolicy") or "IfNotPresent"
        known, puller = self._kit.containers, self._kit.puller
        named = _named(reference)
        if not self._work.chosen.in_container or known is None or puller is None or named is None:
            return present(reference)
        image = known.find(reference)
        if policy == "Never" or (image is not None and (policy != "Always" or named.digest)):
            self._pauses.pop(reference, None)
            return present(reference)
        if image is not None:
            return await self._checked(role, reference, image, puller)
        return await self._pulled(role, reference, puller)

    def abandon(self, name: str) -> None:
        """The pod goes: nobody waits for its image any more."""
        c = self._work.facts.of(name)
        c.pulling = False
        limit = self._limits.get(name)
        if limit is not None:
            limit.reschedule(asyncio.get_running_loop().time())

    async def _checked(self, role: Role, reference: str, image: Image, puller: Puller) -> NotHere | str:
        begun_s = self._kit.clock.monotonic_s()
        who = self._who(role)
        asked = await puller.ask(reference, image, who)
        if asked.newer:
            return await self._pulled(role, reference, puller, engines=False)
        if asked.why:
            return words.unasked(reference, asked.why)
        took_s = self._kit.clock.monotonic_s() - begun_s
        self._work.emit("Normal", "Pulling", words.pulling(reference), role)
        return words.pulled(reference, took_s, took_s, image.size)

    async def _pulled(self, role: Role, reference: str, puller: Puller, *, engines: bool = True) -> NotHere | str:
        clock, work = self._kit.clock, self._work
        begun_s, pause = clock.monotonic_s(), self._pauses.get(reference)
        if pause is not None and pause.until_s > begun_s:
            return self._backing_off(role, reference, pause)
        work.emit("Normal", "Pulling", words.pulling(reference), role)
        c = work.facts.of(role.name)
        c.pulling = True
        try:
            async with asyncio.timeout(None) as limit:
                self._limits[role.name] = limit
                brought, pull_s = await puller.bring(reference, self._who(role), engines)
        except TimeoutError:
            return NotHere("ErrImagePull", "pull cancelled: the pod goes", 0.0)
        except PullError as error:
            return self._failed(role, reference, words.lacking(error.without(reference)))
        finally:
            c.pulling = False
            self._limits.pop(role.name, None)
        self._pauses.pop(reference, None)
        size = brought.image.size
        if brought.by_engine:
            return words.taken(reference, brought.origin, size)
        return words.pulled(reference, pull_s, clock.monotonic_s() - begun_s, size)

    def _failed(self, role: Role, reference: str, why: str) -> NotHere:
        before = self._pauses.get(reference)
        pause_s = words.next_pause_s(before.pause_s if before is not None else 0.0)
        self._pauses[reference] = _Pause(self._kit.clock.monotonic_s() + pause_s, pause_s, why)
        self._work.emit("Warning", "Failed", words.failed(reference, why), role)
        self._work.emit("Warning", "Failed", "Error: ErrImagePull", role)
        return NotHere("ErrImagePull", why, SHOW_S)

    def _backing_off(self, role: Role, reference: str, pause: _Pause) -> NotHere:
        if not pause.told:
            pause.told = True
            self._work.emit("Normal", "BackOff", words.backing_off(reference), role)
            self._work.emit("Warning", "Failed", "Error: ImagePullBackOff", role)
        left_s = pause.until_s - self._kit.clock.monotonic_s()
        return NotHere("ImagePullBackOff", words.backing_off(reference, pause.why), min(left_s, LOOK_S))

    def _who(self, role: Role) -> Credentials:
        work = self._work
        who = credentials(work.pod, lambda name: self._kit.api.view.get("secrets", work.namespace, name))
        if who.unusable:
            work.emit("Warning", "FailedToRetrieveImagePullSecret", unusable(who.unusable))
        return who


def _named(reference: str) -> Reference | None:
    try:
        return parse(reference)
    except ValueError:
        return None
