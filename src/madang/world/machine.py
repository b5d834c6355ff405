"""The make-believe machine: programs that are values, the load that they carry, and what can befall them.

In: launches (`runtime`), load, what the faults do to it. Out: programs that start, listen, compute, end. It outlives
every control process, as monitors do.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path

from madang.node.runtimes.runtime import Exit, Launch, Running
from madang.world.clock import WorldClock

IDLE_CORES = 0.002


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
    used_s: float = 0.0  # CPU time, up to `counted_s`
    counted_s: float = 0.0
    pod: str = field(init=False)
    container: tuple[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.pod = self.launch.folder.parents[2].name  # pods/UID/containers/NAME/ATTEMPT
        self.container = self.pod, self.launch.folder.parent.name

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    @property
    def app(self) -> str:
        return self.launch.env.get("APP", "")


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
        self.loads: dict[str, float] = {}  # cores that each service is asked for, whoever runs it
        self.sessions = 0  # commands that run in containers now
        self.started: Callable[[Program], None] = lambda program: None
        self.told: Callable[[Program], None] = lambda program: None  # its stop signal

    @property
    def alive(self) -> list[Program]:
        return [p for p in self.programs.values() if p.alive]

    def fork(self, launch: Launch) -> Running:
        self.starts += 1
        now = self.clock.now_s()
        running = Running(launch.id, 100 + self.starts, self.starts, now)
        program = Program(launch, running, self._loop.create_future(), self.clock.monotonic_s())
        program.counted_s = program.began_s
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
        for program in self.programs.values():
            if program.running.pid == pid:
                return program
        return None

    def listens(self, program: Program) -> bool:
        return program.alive and self.clock.monotonic_s() >= program.listens_s

    def used_s(self, program: Program) -> float:
        """CPU time since its start: those who listen share their service's load."""
        now = self.clock.monotonic_s()
        cores = IDLE_CORES
        if self.loads.get(program.app) and self.listens(program):
            mates = [p for p in self.alive if p.app == program.app and self.listens(p)]
            cores = min(self.loads[program.app] / len(mates), 1.0)
        program.used_s += cores * (now - program.counted_s)
        program.counted_s = now
        return program.used_s
