"""The hand of a pod worker: carries out what was decided, and puts into the facts what came of it.

In: actions. Out: effects on network, volumes and runtime, events, facts. What takes time runs as a task of its own,
is marked in the facts from the start, and wakes the worker when it is over. The hands that it is made of stand below
it and know only those below them: sandbox, launching, fetching, following, starter and stopper.
"""

from madang.node.pod import actions as do
from madang.node.pod import spec
from madang.node.pod.actions import Action
from madang.node.pod.container_status import full_name
from madang.node.pod.facts import Stop
from madang.node.pod.status import OVERDUE
from madang.node.pod.stopping import signal_by_s
from madang.node.worker.farewell import finish
from madang.node.worker.fetching import Fetching
from madang.node.worker.following import Following
from madang.node.worker.launching import Launching
from madang.node.worker.sandbox import SandboxHand
from madang.node.worker.starter import Starter
from madang.node.worker.status_board import StatusBoard
from madang.node.worker.stopper import Stopper
from madang.node.worker.work import PodWork


class Hand:
    def __init__(self, work: PodWork, board: StatusBoard) -> None:
        self._work, self._board = work, board
        self.sandbox = SandboxHand(work)
        self.launching = Launching(work, self.sandbox)
        self.following = Following(work, board, self.sandbox, self.launching)
        self._fetching = Fetching(work)
        self._starter = Starter(work, self.launching, self.following, self._fetching)
        self._stopper = Stopper(work, self.launching)

    def do(self, action: Action) -> None:
        match action:
            case do.Prepare():
                self._work.facts.sandbox = "preparing"
                self._work.spawn(self.sandbox.prepare())
            case do.Release():
                self._work.facts.sandbox = "releasing"
                self._work.spawn(self.sandbox.release())
            case do.Expire():
                self._work.facts.doom = OVERDUE
                self._work.emit("Normal", *OVERDUE)
            case do.Finish(how):
                self._work.facts.finishing = True
                self._work.spawn(finish(self._work, self._board, how))
            case do.WakeAt():
                raise RuntimeError("the worker waits by itself")
            case _:
                self._to_container(action)

    def _to_container(self, action: Action) -> None:
        work = self._work
        match action:
            case do.Start(name, attempt):
                work.facts.of(name).starting = True
                work.spawn(self._starter.start(spec.role(work.pod, name), attempt))
            case do.Abandon(name):
                self._fetching.abandon(name)
            case do.BackOff(name):
                work.facts.of(name).backing_off = True
                message = f"Back-off restarting failed container {name} in pod {full_name(work.pod)}"
                work.emit("Warning", "BackOff", message, spec.role(work.pod, name))
            case do.BeginStop(name, signal_at_s, deadline_s, message, replaces):
                latest = signal_by_s(signal_at_s, deadline_s)
                work.facts.of(name).stop = Stop(signal_at_s, deadline_s, latest, replaces=replaces)
                work.emit("Normal", "Killing", message, spec.role(work.pod, name))
            case do.ShortenStop(name, deadline_s):
                self._stopper.shorten(name, deadline_s)
            case do.RunPreStop(name):
                self._stopper.pre_stop(name)
            case do.Signal(name):
                self._stopper.signal(name)
            case do.Kill(name):
                self._stopper.kill(name)
            case _:
                raise RuntimeError(f"no hand for {action}")
