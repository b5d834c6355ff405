"""Writes one pod's statuses, in order, one at a time, beside whatever else its worker does.

In: whole statuses, when something is new. Out: writes of `pods/status`, each conditional on the state it was made
from; what others wrote meanwhile (their conditions, labels) is kept.
"""

import asyncio
import logging
from collections import deque

from madang.node.eviction.decision import BY_KUBELET
from madang.node.pod.conditions import OURS
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, StatusError
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
_PENDING = 16  # more are not kept: the oldest unwritten go first, the newest always comes
_COMMIT_S = 0.001
_RETRY_S = (0.1, 5.0)  # first and longest pause after a write that could not be made


class StatusWriter:
    def __init__(self, api: LocalApi, clock: Clock, pod: Obj) -> None:
        self._api, self._clock = api, clock
        self._namespace, self._name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._uid = pod["metadata"]["uid"]
        self._known = pod  # the newest state that we have seen
        self._queue: deque[Obj] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurried = False
        self.latest: Obj = pod.get("status") or {}

    def before(self, pod: Obj) -> Obj:
        """The status as it will be once all is written, with the conditions that others have set on `pod`."""
        return _joined(self.latest, pod)

    def offer(self, status: Obj) -> None:
        if status == self.latest:
            return
        self.latest = status
        self._queue.append(status)
        while len(self._queue) > _PENDING:
            self._queue.popleft()
        self._idle.clear()
        self._wake.set()

    def contradicted(self, pod: Obj) -> bool:
        """Somebody else has written whether the pod is ready, after us and otherwise."""
        return (
            self._idle.is_set() and _newer(self._known, pod) is not self._known and _ready(pod) != _ready(self._known)
        )

    def take(self, pod: Obj) -> None:
        """Go on from this state, whatever we have said before."""
        self._known, self.latest = pod, pod.get("status") or {}

    def hurry(self) -> None:
        """The courtyard goes down: what cannot be written now (the disk is full, say) is not waited for any more."""
        self._hurried = True

    async def drain(self) -> None:
        """Until all that was offered is written, or the pod is gone."""
        await self._idle.wait()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._write(self._queue.popleft())
            self._idle.set()

    async def _write(self, status: Obj) -> None:
        pause, most = _RETRY_S
        known = self._api.view.get("pods", self._namespace, self._name)
        if known is not None and known["metadata"]["uid"] == self._uid:
            self._known = _newer(known, self._known)
        while True:
            body = {**self._known, "status": _joined(status, self._known)}
            try:
                self._known = (await self._api.update("pods", body, subresource="status")).obj
                return
            except Conflict:
                if not await self._read():
                    return
            except NotFound:
                return
            except (BadRequest, Forbidden, Invalid) as e:
                log.error("pod %s/%s: status refused: %s", self._namespace, self._name, e)
                return  # trying again would change nothing
            except StatusError as e:
                again = "given up" if self._hurried else "tried again"
                log.warning("pod %s/%s: status not written, %s: %s", self._namespace, self._name, again, e)
                if self._hurried:
                    return
                await self._clock.sleep(pause)
                pause = min(pause * 2, most)

    async def _read(self) -> bool:
        """Take the newest state. False: our pod is gone."""
        # What we lost against may be accepted and not yet committed, so that nobody can read it: let it come first.
        await self._clock.sleep(_COMMIT_S)
        try:
            found = await self._api.get("pods", self._namespace, self._name)
        except NotFound:
            return False
        self._known = found
        return bool(found["metadata"]["uid"] == self._uid)


def _newer(a: Obj, b: Obj) -> Obj:
    versions = [int(p["metadata"].get("resourceVersion") or 0) for p in (a, b)]
    return a if versions[0] >= versions[1] else b


def _ready(pod: Obj) -> str:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "")


def _joined(status: Obj, pod: Obj) -> Obj:
    """`status` with the conditions that are not a node's as they stand on `pod`."""
    present = pod.get("status") or {}
    own = [c for c in status.get("conditions") or () if c["type"] in OURS or c.get("reason") == BY_KUBELET]
    ours = {*OURS, *(c["type"] for c in own)}
    theirs = [c for c in present.get("conditions") or () if c["type"] not in ours]
    joined = {**status, "conditions": own + theirs} if own or theirs else {**status}
    if "qosClass" in present:
        joined.setdefault("qosClass", present["qosClass"])
    return joined
