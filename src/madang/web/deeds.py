"""What the page's buttons do: the same as `madang scale`, `restart` and `break`, through the same code.

In: the API, the courtyard's home, what was pressed. Out: a `Text` that says what became of it; refusals are
`StatusError`, with the API's own sentence.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from madang.everyday import harm, restart, scale, service
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.errors import BadRequest
from madang.web.text import Text
from madang.web.words import say

HARM_S = 30.0


class Deeds:
    """`close` waits for nothing: what was made slow goes on again by a process of its own."""

    def __init__(self, api: LocalApi, clock: Clock, home: Path) -> None:
        self._api, self._clock, self._home = api, clock, home
        self._children: set[asyncio.Task[int]] = set()

    async def do(self, deed: str, form: Mapping[str, str]) -> Text:
        namespace, name = form.get("namespace", ""), form.get("service", "")
        if not namespace or not name:
            raise BadRequest("a deed needs a namespace and a service")
        if deed == "scale":
            return await self._scale(namespace, name, form.get("by", ""))
        if deed == "restart":
            await restart.restart(self._api, namespace, name, self._clock.now_s())
            return say("did restart", name=name)
        if deed == "break":
            return await self._break(namespace, name, form.get("how", ""))
        raise BadRequest(f"no such deed: {deed}")

    async def close(self) -> None:
        for task in self._children:
            task.cancel()
        await asyncio.gather(*self._children, return_exceptions=True)

    async def _scale(self, namespace: str, name: str, by: str) -> Text:
        if by not in ("1", "-1"):
            raise BadRequest(f"by: expected 1 or -1, found {by!r}")
        now = int((await service.deployment(self._api, namespace, name))["spec"].get("replicas", 1))
        wanted = min(max(now + int(by), 0), scale.MOST)
        before = await scale.scale(self._api, namespace, name, wanted)
        return say("did scale", name=name, before=before, after=wanted)

    async def _break(self, namespace: str, name: str, how: str) -> Text:
        if how not in harm.WAYS:
            raise BadRequest(f"how: expected kill, hang or slow, found {how!r}")
        one = await harm.victim(self._api, self._home, namespace, name)
        if how == "kill":
            harm.kill(one)
            return say("did kill", pod=one.pod)
        child = await asyncio.create_subprocess_exec(
            *harm.affliction(one, cast(harm.How, how), HARM_S),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=dict(os.environ),
        )
        waiting = asyncio.create_task(child.wait(), name=f"{how} {one.pod}")
        self._children.add(waiting)
        waiting.add_done_callback(self._children.discard)
        return say(f"did {how}", pod=one.pod, seconds=round(HARM_S))
