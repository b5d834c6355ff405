"""Brings images for pods: one pull at a time for an image, shared by all who wait for it; a few images at once.

In: a reference and credentials. Out: the image, or `PullError`. A registry that nobody answered for is remembered for a
while, so that whoever has the image already does not wait for it again. All work is done by processes of their own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from madang.node.images.image import Image
from madang.node.images.reference import parse
from madang.node.images.registry.bring import GUARD_S, Brought, bring, current
from madang.node.images.registry.pull import PullError
from madang.node.images.store import Store
from madang.node.pulling.secrets import Credentials
from madang.ports.clock import Clock

AT_ONCE = 3
FORGET_S, LONGEST_S = 60.0, 600.0  # an unreached registry is asked again after a pause that doubles


class Source(Protocol):
    """Where images come from; raises PullError."""

    async def bring(self, reference: str, config: Mapping[str, Any] | None, engines: bool) -> Brought: ...

    async def current(self, reference: str, config: Mapping[str, Any] | None) -> str: ...


class Outside:
    """The engines of this machine, and registries."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def bring(self, reference: str, config: Mapping[str, Any] | None, engines: bool) -> Brought:
        return await bring(self._folder, reference, credentials=config, engines=engines)

    async def current(self, reference: str, config: Mapping[str, Any] | None) -> str:
        try:
            async with asyncio.timeout(GUARD_S):
                return await current(reference, config)
        except TimeoutError as error:
            raise PullError(f"{reference}: nobody said within {GUARD_S:g} s what its registry has") from error


@dataclass(slots=True)
class _Job:
    task: "asyncio.Task[tuple[Brought, float]]"
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class _Unreached:
    until_s: float  # steady
    pause_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """`newer`: the registry has another image under this name. `why` says what it could not be asked for."""

    newer: bool = False
    why: str = ""


class Puller:
    def __init__(self, store: Store, clock: Clock, source: Source | None = None) -> None:
        self._store, self._clock = store, clock
        self._source: Source = source or Outside(store.layout.home)
        self._jobs: dict[tuple[str, str, bool], _Job] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._unreached: dict[str, _Unreached] = {}

    async def bring(self, reference: str, who: Credentials, engines: bool = True) -> tuple[Brought, float]:
        """With the seconds that it took once its turn had come. Who stops waiting last stops the pull."""
        key = (str(parse(reference)), who.key, engines)
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = _Job(asyncio.create_task(self._bring(reference, who, engines), name="pull"))
        job.waiting += 1
        try:
            return await asyncio.shield(job.task)
        finally:
            job.waiting -= 1
            if not job.waiting:
                if self._jobs.get(key) is job:
                    del self._jobs[key]
                job.task.cancel()
                await asyncio.wait({job.task})
                if not job.task.cancelled():
                    job.task.exception()  # heard, whether somebody still wants to know or not

    async def ask(self, reference: str, image: Image, who: Credentials) -> Asked:
        """Whether the registry has something newer than what is here."""
        domain, now_s = parse(reference).domain, self._clock.monotonic_s()
        known = self._unreached.get(domain)
        if known is not None and known.until_s > now_s:
            return Asked(why=known.why)
        try:
            digest = await self._source.current(reference, who.config)
        except PullError as error:
            why = error.without(reference)
            if not error.status:
                pause_s = min(known.pause_s * 2, LONGEST_S) if known is not None else FORGET_S
                self._unreached[domain] = _Unreached(self._clock.monotonic_s() + pause_s, pause_s, why)
            return Asked(why=why)
        self._unreached.pop(domain, None)
        found = self._store.find(digest) if digest else None
        return Asked(newer=found is None or found.digest != image.digest)

    async def _bring(self, reference: str, who: Credentials, engines: bool) -> tuple[Brought, float]:
        async with self._turns:
            begun_s = self._clock.monotonic_s()
            found = await self._source.bring(reference, who.config, engines)
        self._unreached.pop(parse(reference).domain, None)
        return found, self._clock.monotonic_s() - begun_s
