"""The port `Runtime` on the make-believe machine.

In: launches, signals, commands. Out: programs of `machine`. A start that was begun may come about though nobody is
left to hear of it.
"""

import asyncio
import signal as signals
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from madang.node.runtimes.runtime import Ability, Exit, Launch, Running, Sample
from madang.ports.errors import NotFound
from madang.ports.streams import ExecOptions
from madang.world.machine import Machine, Program


class WorldRuntime:
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
        self._machine.told(program)
        if not (program.hung or program.stuck):
            self._machine.later(0.01 + 0.2 * self._chance.random(), program, 0)

    async def kill(self, running: Running) -> None:
        program = self._machine.by_id(running)
        if program is not None and program.alive:
            program.told.append(signals.SIGKILL)
            self._machine.end(program, 137, 9)

    async def remove(self, folder: Path) -> None:
        self._machine.programs.pop(folder, None)

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> "Check":
        program = self._machine.by_id(running)
        if program is None or not program.alive:
            raise NotFound(f'container "{running.id}" is not running')
        return Check(self._machine, program)

    def sample(self, running: Running) -> Sample | None:
        program = self._machine.by_id(running)
        if program is None or not program.alive:
            return None
        return Sample(int(self._machine.used_s(program) * 1e9), 7_000_000, (running.pid,))

    async def logs(
        self, log: Path, *, until: "asyncio.Future[Any] | None" = None, tail: int | None = None, stream: str = ""
    ) -> AsyncGenerator[bytes, None]:
        yield b""


class Check:
    """A command in a container that asks whether its program is well: the port `Process`. It hangs with its program."""

    def __init__(self, machine: Machine, program: Program) -> None:
        self._machine, self._program = machine, program
        self._said, self._open = False, True
        machine.sessions += 1

    async def read(self) -> tuple[int, bytes] | None:
        if self._said:
            return None
        if self._program.hung or self._program.stuck:
            await asyncio.Event().wait()
        await self._machine.clock.sleep(0.001 + 0.004 * self._machine.chance.random())
        self._said = True
        return None if await self.wait() == 0 else (2, b"not well")

    async def write(self, data: bytes) -> None: ...

    async def close_stdin(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        program = self._program
        if not program.alive:
            return 137
        return 0 if self._machine.listens(program) and not program.lies else 1

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._machine.sessions -= 1
