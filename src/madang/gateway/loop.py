"""The gateway's loop: sees Services, EndpointSlices, routes and Gateways change, decides, lets the hand act, tells.

In: the API (watches and the committed view), the courtyard's settings, time. Out: HAProxy as desired; statuses and
events through the API; `addresses` and `refusals` for people. A change reaches HAProxy a few milliseconds after its
commit; nothing beats by itself except while something waits: a reload's turn, a port that is taken, UDP ports that the
kernel did not take, a server whose last connections end.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from madang.gateway import always, callers, taken
from madang.gateway.conditions import shown, statuses
from madang.gateway.desired import Desired, Owner, Problem
from madang.gateway.hand import Hand, Outcome
from madang.gateway.hostports import PODS, HostPods
from madang.gateway.keeping import KeeperGone
from madang.gateway.kernel import Kernel, KernelLike, Nothing
from madang.gateway.listeners import GATEWAYS
from madang.gateway.memo import Memo
from madang.gateway.routes import WATCHED, Plan, routes
from madang.gateway.taken import Refusal
from madang.gateway.tuning import Tuning
from madang.haproxy import admin, binary
from madang.loops.recorder import Recorder
from madang.loops.supervisor import supervise
from madang.loops.watcher import Watcher
from madang.ports.actions import Emit, Patch
from madang.ports.api import LocalApi, User
from madang.ports.clock import Clock
from madang.ports.errors import StatusError
from madang.ports.settings import Settings
from madang.ports.traffic import Flow

log = logging.getLogger(__name__)
ME = User(
    "system:serviceaccount:kube-system:gateway-controller",
    ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
)
GATHER_S = 0.002  # changes that come together are one turn
SWEEP_S = 1.0
RETRY_S = 5.0
DRAIN_S = 1.0


class HandLike(Protocol):
    """What the loop asks of HAProxy's hand (`gateway.hand.Hand`)."""

    on_trouble: Callable[[], None]

    @property
    def admin(self) -> Path | None: ...

    @property
    def worker_pid(self) -> int: ...

    async def apply(self, desired: Desired) -> Outcome: ...

    async def sweep(self) -> bool: ...

    async def stop(self, drain_s: float) -> None: ...

    async def leave(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What stands in for HAProxy and the machine's ports in a simulated world."""

    hand: Callable[[], HandLike]
    free_port: Callable[[str], int]


class Gateway:
    """`start` returns once HAProxy serves what is known; `run` follows the changes until it is cancelled."""

    def __init__(
        self,
        api: LocalApi,
        settings: Settings,
        clock: Clock,
        tuning: Tuning | None = None,
        *,
        outside: Outside | None = None,
    ) -> None:
        self._api = cast(LocalApi, api.as_(ME))
        self._settings, self._clock, self._tuning = settings, clock, tuning or Tuning()
        self._outside = outside
        self._hand: HandLike | None = None
        self._wake = asyncio.Event()
        self._acting = asyncio.Lock()
        self._recorder = Recorder(self._api, clock, "gateway-controller")
        self._told: set[Problem] = set()
        self._memo = Memo()
        self._hosts = HostPods()
        self._kernel: KernelLike = Nothing() if outside else Kernel(settings)
        self._plan = Plan(Desired())
        self._served: Desired | None = None  # before the first turn only the statuses tell
        self._told_of: object = None  # what every status tells already
        self._wait_s: float | None = None
        self.refusals: tuple[Refusal, ...] = ()

    async def prepare(self) -> None:
        """The part of `start` that needs no object: it may be done while the API's doors are still being opened."""
        if self._outside is None:
            program = await asyncio.to_thread(binary.find)
            hand = Hand(self._settings.home, self._settings.run, program, self._clock, self._tuning)
            with suppress(KeeperGone):  # whoever asks it for something tries again, and says why
                await hand.keeper()
            self._hand = hand
        else:
            self._hand = self._outside.hand()
        self._hand.on_trouble = self._wake.set

    async def start(self) -> None:
        """Raises `binary.NoHAProxy`, with the ways out, where there is none."""
        if self._hand is None:
            await self.prepare()
        free_port = self._outside.free_port if self._outside else always.free_port
        await always.ensure(self._api, self._settings, free_port)
        self._hosts.learn(self._api.view.list(PODS))
        await self._turn()
        front = self._api.view.get(GATEWAYS, always.NAMESPACE, always.NAME)
        if front is not None and self._front_is_closed() and always.chosen_by_us(front):
            await always.choose_anew(self._api, self._settings)
            await self._turn()

    def _front_is_closed(self) -> bool:
        return any(r.bind.owner == Owner(GATEWAYS, always.NAMESPACE, always.NAME) for r in self.refusals)

    async def run(self) -> None:
        await supervise("gateway", self._follow, self._clock)

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Takes the gateway down: running requests may finish for so long; no process, socket or file stays. Works
        without `start` as well, on what an earlier control left."""
        async with self._acting:  # a turn under way comes to its end first, and none follows
            hand, self._hand = self._hand, None
            if hand is None:  # what an earlier control left
                hand = Hand(self._settings.home, self._settings.run, binary.find(), self._clock, self._tuning)
            await hand.stop(drain_s)

    async def leave(self) -> None:
        """Ends the control and lets HAProxy and its keeper serve on."""
        async with self._acting:
            hand, self._hand = self._hand, None
            if hand is not None:
                await hand.leave()

    @property
    def addresses(self) -> dict[str, str]:
        """`gateway`: the front door; `NAMESPACE/SERVICE:PORT`: each published port that is open."""
        closed = {r.bind.name for r in self.refusals}
        host = shown(self._settings.listen)
        found = {
            "gateway" if d.bind.owner.name == always.NAME else d.name: f"http://{host}:{d.bind.port}"
            for d in self._plan.desired.doors
            if d.bind.name not in closed
        }
        for frontend in self._plan.desired.frontends:
            for bind in frontend.binds:
                if bind.what.startswith("published") and bind.name not in closed:
                    scheme = "" if frontend.mode == "tcp" else "http://"
                    found[f"{bind.owner.namespace}/{bind.owner.name}:{bind.port}"] = f"{scheme}{host}:{bind.port}"
        return found

    async def flow(self) -> Flow | None:
        """Who asks whom; None while HAProxy does not answer."""
        if self._hand is None or self._hand.admin is None:
            return None
        try:
            return await callers.flow(self._hand.admin, self._hand.worker_pid)
        except admin.Silent:
            return None

    @property
    def worker_pid(self) -> int:
        return self._hand.worker_pid if self._hand else 0

    async def _follow(self) -> None:
        watcher = Watcher(self._api, self._clock)
        for kind in WATCHED:
            watcher.listen(kind, lambda change: self._wake.set())
        watcher.listen(PODS, lambda change: self._wake.set() if self._hosts.hear(change) else None)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recorder.run(), name="gateway events")
            for kind in watcher.kinds:
                group.create_task(watcher.run(kind), name=f"gateway watch {kind}")
            group.create_task(self._turns(), name="gateway turns")

    async def _turns(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._wait_s):  # `wait_for` of 3.11 loses a cancel that comes with the event
                    await self._wake.wait()
                await self._clock.sleep(GATHER_S)
            except TimeoutError:
                pass
            self._wake.clear()
            await self._turn()

    async def _turn(self) -> None:
        async with self._acting:
            if self._hand is None:
                self._wait_s = None
                return  # it was stopped, or left to serve on
            plan = routes(self._api.view, self._settings, self._memo, self._served, self._hosts.pods)
            outcome = await self._hand.apply(plan.desired)
            await self._kernel.apply(plan.desired.datagrams)
            lingering = await self._hand.sweep()
        self._plan, self._served = plan, plan.desired
        if outcome.unopened or self.refusals:
            self.refusals = await asyncio.to_thread(taken.explain, outcome.unopened)
        waits = (
            outcome.again_s,
            SWEEP_S if lingering else None,
            RETRY_S if outcome.unopened or self._kernel.why_not else None,
        )
        self._wait_s = min((w for w in waits if w is not None), default=None)
        self._tell(_problems(plan, self.refusals, outcome) | unkept(plan.desired, self._kernel.why_not))
        closed = {r.bind.name: r.message for r in self.refusals}
        told_of = plan.classes, plan.listeners, plan.attachments, plan.routes, plan.services, plan.desired.frontends
        if (told_of, closed) == self._told_of:
            return  # most turns change who serves, and nothing that a status tells of
        patches = statuses(plan, closed, self._settings, self._clock.now_s())
        self._told_of = None if patches else (told_of, closed)
        await self._write(patches)

    def _tell(self, problems: set[Problem]) -> None:
        """Each problem once, and again when it comes back after it was gone."""
        for problem in sorted(problems - self._told, key=lambda p: (p.owner, p.reason, p.message)):
            about = self._api.view.get(*problem.owner)
            if about is not None:
                self._recorder.record(Emit(problem.owner.kind, about, "Warning", problem.reason, problem.message))
        self._told = problems

    async def _write(self, patches: list[Patch]) -> None:
        """Side by side: they share a commit. A refusal is not worth more than a line: the next turn tries again."""

        async def one(patch: Patch) -> None:
            try:
                await self._api.patch(
                    patch.kind, patch.namespace, patch.name, patch.patch, subresource=patch.subresource
                )
            except StatusError as refusal:
                log.warning("status of %s %s/%s: %s", patch.kind, patch.namespace, patch.name, refusal)

        if patches:
            async with asyncio.TaskGroup() as group:
                for patch in patches:
                    group.create_task(one(patch))


def unkept(desired: Desired, why_not: str) -> set[Problem]:
    front = Owner(GATEWAYS, always.NAMESPACE, always.NAME)
    return {Problem(front, "DatagramsNotCarried", f"UDP ports: {why_not}")} if why_not and desired.datagrams else set()


def _problems(plan: Plan, refusals: tuple[Refusal, ...], outcome: Outcome) -> set[Problem]:
    found = set(plan.desired.problems)
    found |= {Problem(r.bind.owner, "PortTaken" if r.pid else "PortNotOpened", r.message) for r in refusals}
    if outcome.refused:
        front = Owner(GATEWAYS, always.NAMESPACE, always.NAME)
        text = f"HAProxy refused the new configuration, the last good one stays: {outcome.refused.strip()[-800:]}"
        found.add(Problem(front, "ConfigurationRefused", text))
    return found
