"""The make-believe machine: a runtime whose programs are values, probes that they answer, and what can befall them.

In: launches, signals, probes, through the ports `Runtime` and `Handler`; what the faults do to it. Out: programs that
start, listen, end. It outlives every control process, as monitors do: a start that was begun may come about though
nobody is left to hear of it.
"""

import asyncio
import random
import signal as signals
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.node.probes.handler import Target
from madang.node.probes.result import Result
from madang.node.runtimes.runtime import Ability, Exit, Launch, Running, Sample
from madang.ports.objects import Obj
from madang.ports.streams import ExecOptions, Process
from madang.world.clock import WorldClock


@dataclass(slots=True)
class Program:
    """One start. `argv` says what it is: `serve SECONDS` listens after so long and runs on, `work SECONDS CODE` ends
    by itself."""

    launch: Launch
    running: Running
    ended: "asyncio.Future[Exit]"
    began_s: float
    listens_s: float = float("inf")  # steady, from when on
    hung: bool = False
    stuck: bool = False  # hangs for good
    lies: bool = False
    told: list[int] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    @property
    def pod(self) -> str:
        return self.launch.folder.parents[2].name

    @property
    def container(self) -> tuple[str, str]:
        return self.pod, self.launch.folder.parent.name


@dataclass(slots=True)
class Moods:
    """What the machine is like just now: shares of starts that go wrong."""

    refuses: float = 0.0
    cannot_start: float = 0.0
    no_address: float = 0.0


class Machine:
    """What runs, and what befalls it. It outlives every control process."""

    def __init__(self, clock: WorldClock, chance: random.Random, tally: Counter[str]) -> None:
        self.clock, self.chance, self.tally = clock, chance, tally
        self._loop = asyncio.get_running_loop()
        self._world = Context()  # what befalls a program belongs to no control process
        self.moods = Moods()
        self.programs: dict[Path, Program] = {}
        self.starts = 0
        self.started: Callable[[Program], None] = lambda program: None

    @property
    def alive(self) -> list[Program]:
        return [p for p in self.programs.values() if p.alive]

    def fork(self, launch: Launch) -> Running:
        self.starts += 1
        now = self.clock.now_s()
        running = Running(launch.id, 100 + self.starts, self.starts, now)
        program = Program(launch, running, self._loop.create_future(), self.clock.monotonic_s())
        if self.chance.random() < self.moods.cannot_start:
            self.tally["program cannot start"] += 1
            end = Exit(128, 0, now, now, "StartError", "exec: no such file")
            program.running = Running(launch.id, 0, 0, now, failed=end)
            program.ended.set_result(end)
        if program.alive:
            self.started(program)  # first: it looks for a twin
            self._behave(program)
        self.programs[launch.folder] = program
        launch.folder.mkdir(parents=True, exist_ok=True)
        return program.running

    def _behave(self, program: Program) -> None:
        what, seconds, *rest = program.launch.argv
        takes = float(seconds) * (0.5 + self.chance.random())
        if what == "serve":
            program.listens_s = self.clock.monotonic_s() + takes
        else:
            self.later(takes, program, int(rest[0]) if rest else 0)

    def later(self, seconds: float, program: Program, code: int) -> None:
        self._loop.call_later(seconds, self.end, program, code, context=self._world)

    def end(self, program: Program, code: int, signal: int = 0, reason: str = "") -> None:
        if not program.alive:
            return
        why = reason or ("Completed" if code == 0 else "Error")
        times = program.running.started_at_s, self.clock.now_s()
        program.ended.set_result(Exit(code, signal, *times, why))  # type: ignore[arg-type]

    def by_id(self, running: Running) -> Program | None:
        return next((p for p in self.programs.values() if p.running.id == running.id), None)

    def by_pid(self, pid: int) -> Program | None:
        return next((p for p in self.programs.values() if p.running.pid == pid), None)

    def listens(self, program: Program) -> bool:
        return program.alive and self.clock.monotonic_s() >= program.listens_s


class WorldRuntime:
    """The port `Runtime` on the machine. A start that was begun may come about though nobody is left to hear of it."""

    name = "host"

    def __init__(self, machine: Machine) -> None:
        self._machine, self._clock, self._chance = machine, machine.clock, machine.chance

    async def probe(self) -> Ability:
        return Ability("host", True)

    @property
    def private_mounts(self) -> bool:
        return True

    def refuses(self, launch: Launch) -> str:
        return ""

    async def start(self, launch: Launch) -> Running:
        await self._clock.sleep(0.002 + 0.01 * self._chance.random())
        if self._chance.random() < self._machine.moods.refuses:
            self._machine.tally["machine refuses"] += 1
            raise OSError(11, "Resource temporarily unavailable")
        running = self._machine.fork(launch)
        await self._clock.sleep(0.002 + 0.02 * self._chance.random())
        return running

    def adopt(self, folder: Path) -> Running | Exit | None:
        program = self._machine.programs.get(folder)
        if program is None:
            return None
        return program.running if program.alive else program.ended.result()

    async def wait(self, running: Running, folder: Path) -> Exit:
        return await asyncio.shield(self._machine.programs[folder].ended)

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        program = self._machine.by_id(running)
        if program is None or not program.alive:
            return
        program.told.append(signal)
        if not (program.hung or program.stuck):
            self._machine.later(0.01 + 0.2 * self._chance.random(), program, 0)

    async def kill(self, running: Running) -> None:
        program = self._machine.by_id(running)
        if program is not None and program.alive:
            program.told.append(signals.SIGKILL)
            self._machine.end(program, 137, 9)

    async def remove(self, folder: Path) -> None:
        self._machine.programs.pop(folder, None)

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Process:
        raise NotImplementedError("programs of the world are asked by `Probes`")

    def sample(self, running: Running) -> Sample | None:
        program = self._machine.by_id(running)
        if program is None or not program.alive:
            return None
        return Sample(int((self._clock.monotonic_s() - program.began_s) * 5e7), 7_000_000, (running.pid,))

    async def logs(
        self, log: Path, *, until: "asyncio.Future[Any] | None" = None, tail: int | None = None, stream: str = ""
    ) -> AsyncGenerator[bytes, None]:
        yield b""


class Probes:
    """The port `Handler`: a program answers once it listens, unless it hangs or lies."""

    def __init__(self, machine: Machine, clock: WorldClock, chance: random.Random, tally: Counter[str]) -> None:
        self._machine, self._clock, self._chance, self._tally = machine, clock, chance, tally

    async def ask(self, target: Target, what: Obj, timeout_s: float) -> Result:
        program = self._machine.by_pid(target.running.pid)
        if program is not None and program.alive and (program.hung or program.stuck):
            await self._clock.sleep(timeout_s)
            return Result(False, "timed out")
        await self._clock.sleep(0.0005 + 0.002 * self._chance.random())
        if program is not None and program.lies and program.alive:
            self._tally["program lies"] += 1
            return Result(False, "HTTP probe failed with statuscode: 503")
        if program is None or not self._machine.listens(program):
            return Result(False, "connection refused")
        return Result(True)
