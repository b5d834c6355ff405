"""Planted in the node: adoption, probes, ends, what is given back."""

from collections.abc import Sequence
from typing import Any

from madang.node import agents
from madang.node.machine.registrar import Registrar
from madang.node.pod import restart, stopping
from madang.node.probes.runner import Runner
from madang.node.worker import adoption, following, starter, status_writer, worker
from madang.node.worker.sandbox import SandboxHand
from madang.node.worker.stopper import Stopper
from madang.node.worker.verdicts import Verdicts
from madang.ports.errors import StatusError
from madang.world.bugs.bug import Bug, answers, nothing, nothing_awaited


def kept(right: Any) -> Any:
    async def wrong(self: Any) -> None:
        self.attachment = None
        self._work.facts.sandbox = "released"

    return wrong


def gives_up(right: Any) -> Any:
    async def wrong(self: Any, status: Any) -> None:
        body = {**self._known, "status": status_writer._joined(status, self._known)}
        try:
            self._known = (await self._api.update("pods", body, subresource="status")).obj
        except StatusError:
            return

    return wrong


def no_time(right: Any) -> Any:
    return 0.0


def at_once_ready(right: Any) -> Any:
    async def wrong(self: Any, target: Any, *more: Any, **about: Any) -> None:
        self._listener.started(target.role.name)
        self._listener.ready(target.role.name, True)

    return wrong


def only_once(right: Any) -> Any:
    async def wrong(self: Any) -> bool:
        return self._registered or bool(await right(self))

    return wrong


def never_ended(right: Any) -> Any:
    async def wrong(self: Any, role: Any, running: Any) -> None: ...

    return wrong


BUGS: Sequence[Bug] = (
    Bug("nothing adopted", "a new control process starts what runs already", worker, "adopt", nothing),
    Bug("ready at once", "a container is ready before it listens", starter, "at_once", answers(True)),
    Bug("probes unasked", "readiness is claimed without asking", Runner, "run", at_once_ready),
    Bug("liveness ignored", "a program that hangs is left to hang", Verdicts, "unhealthy", nothing),
    Bug("no last word", "what ignores its stop signal is never killed", Stopper, "kill", nothing),
    Bug("signal at once", "a program is told to stop while it gets traffic", stopping, "LEAVE_S", no_time),
    Bug("slices not awaited", "a stop signal waits for no slice that still leads there", worker, "put_off", nothing),
    Bug("removed run on", "what runs is not told that its pod is gone", worker.PodWorker, "removed", nothing),
    Bug("nothing swept", "what a dead control process left stays", agents, "sweep", nothing_awaited),
    Bug("node forgotten", "a Node that was deleted is not registered again", Registrar, "keep", only_once),
    Bug("addresses kept", "an ended pod's address is not given back", SandboxHand, "release", kept),
    Bug(
        "status given up",
        "a status that could not be written is dropped",
        status_writer.StatusWriter,
        "_write",
        gives_up,
    ),
    Bug("no restart", "what ended is started again only after an hour", restart, "delay_s", answers(3600.0)),
    Bug("end unheard", "nobody hears that a program ended", following.Following, "_to_the_end", never_ended),
    Bug("unready when adopted", "an adopted pod loses its readiness", adoption, "_resume", nothing),
)
