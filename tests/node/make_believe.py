"""A make-believe machine: a runtime whose programs are scripts of values, a network of numbers, probes that answer
as they are told. Everything follows from the clock; nothing of the real machine is touched but the folders given."""

import asyncio
import json
import signal as signals
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.node.networks.network import Attachment
from madang.node.probes.handler import Target
from madang.node.probes.result import Result
from madang.node.runtimes.runtime import Ability, Exit, Launch, Running, Sample
from madang.ports.clock import Clock
from madang.ports.objects import Obj
from madang.ports.streams import ExecOptions, Process


@dataclass(frozen=True)
class Script:
    """What a program does: it lives so long (None: for ever) and ends with `code`. `on_term` is what it answers to
    its stop signal with (None: nothing). `listens_s`: when it opens its port."""

    lives_s: float | None = None
    code: int = 0
    on_term: int | None = 0
    reason: str = ""
    cannot_start: str = ""
    says: str = ""  # into its termination log
    listens_s: float | None = None


Program = Callable[[Launch, int], Script]  # by launch and number of the start


@dataclass
class _Container:
    launch: Launch
    script: Script
    running: Running
    ended: "asyncio.Future[Exit]"
    signals: list[int] = field(default_factory=list)


class MakeBelieveRuntime:
    name = "host"
    private_mounts = True

    def __init__(self, clock: Clock, programs: Mapping[str, Program], start_s: float = 0.02) -> None:
        self._clock, self._programs, self._start_s = clock, programs, start_s
        self.containers: dict[str, _Container] = {}
        self.launches: list[Launch] = []
        self.starts: dict[str, int] = {}
        self._pid = 100

    async def probe(self) -> Ability:
        return Ability("host", True)

    def refuses(self, launch: Launch) -> str:
        return ""

    async def start(self, launch: Launch) -> Running:
        await self._clock.sleep(self._start_s)
        self.launches.append(launch)
        text = launch.argv[-1]
        number = self.starts.get(launch.id.rpartition("-")[0], 0)
        self.starts[launch.id.rpartition("-")[0]] = number + 1
        script = self._programs[text](launch, number) if text in self._programs else Script()
        self._pid += 1
        now = self._clock.now_s()
        if script.cannot_start:
            end = Exit(128, 0, now, now, "StartError", script.cannot_start)
            self._record(launch, {"exit": [128, 0, now, now, "StartError", script.cannot_start]})
            return Running(launch.id, 0, 0, now, failed=end)
        running = Running(launch.id, self._pid, self._pid, now)
        loop = asyncio.get_running_loop()
        container = _Container(launch, script, running, loop.create_future())
        self.containers[launch.id] = container
        self._record(launch, {"id": launch.id})
        if script.says:
            (launch.folder.parent / f"{launch.folder.name}.termination-log").write_text(script.says)
        if script.lives_s is not None:
            loop.call_later(script.lives_s, self.end, launch.id, script.code, 0, script.reason)
        return running

    def end(self, id: str, code: int, signal: int = 0, reason: str = "") -> None:
        c = self.containers[id]
        if not c.ended.done():
            why = reason or ("Completed" if code == 0 else "Error")
            times = c.running.started_at_s, self._clock.now_s()
            c.ended.set_result(Exit(code, signal, *times, why))  # type: ignore[arg-type]
            self._record(c.launch, {"exit": [code, signal, *times, why, ""]})

    def _record(self, launch: Launch, body: Obj) -> None:
        launch.folder.mkdir(parents=True, exist_ok=True)
        (launch.folder / "record").write_text(json.dumps(body))

    def adopt(self, folder: Path) -> Running | Exit | None:
        try:
            body = json.loads((folder / "record").read_text())
        except FileNotFoundError:
            return None
        return Exit(*body["exit"]) if "exit" in body else self.containers[body["id"]].running

    async def wait(self, running: Running, folder: Path) -> Exit:
        return await asyncio.shield(self.containers[running.id].ended)

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        c = self.containers[running.id]
        c.signals.append(signal)
        if c.script.on_term is not None:
            asyncio.get_running_loop().call_later(0.05, self.end, running.id, c.script.on_term)

    async def kill(self, running: Running) -> None:
        self.containers[running.id].signals.append(signals.SIGKILL)
        self.end(running.id, 137, 9)

    async def remove(self, folder: Path) -> None:
        (folder / "record").unlink(missing_ok=True)

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Process:
        raise NotImplementedError

    def sample(self, running: Running) -> Sample | None:
        """Half a core, all the time; a count of CPU time knows nothing of the hour."""
        return Sample(int(self._clock.monotonic_s() * 5e8), 7_000_000, (running.pid,))

    async def logs(
        self, log: Path, *, until: "asyncio.Future[Any] | None" = None, tail: int | None = None, stream: str = ""
    ) -> AsyncGenerator[bytes, None]:
        yield _bytes(log)

    @property
    def alive(self) -> list[str]:
        return [i for i, c in self.containers.items() if not c.ended.done()]


def _bytes(log: Path) -> bytes:
    return log.read_bytes() if log.exists() else b""


class MakeBelieveNetwork:
    name = "bridge"
    recovered: Sequence[str] = ()

    def __init__(self, clock: Clock, runtime: MakeBelieveRuntime) -> None:
        self._clock, self._runtime = clock, runtime
        self._attached: dict[str, Attachment] = {}
        self._next = 1

    async def probe(self) -> Ability:
        return Ability("bridge", True)

    async def start(self) -> None: ...

    async def attach(self, uid: str, hostname: str, node: int = 1) -> Attachment:
        await self._clock.sleep(0.005)
        self._next += 1
        self._attached[uid] = Attachment(f"10.244.0.{self._next}")
        return self._attached[uid]

    async def detach(self, uid: str) -> None:
        self._attached.pop(uid, None)

    def attached(self) -> Mapping[str, Attachment]:
        return dict(self._attached)

    def listening(self, attachment: Attachment, port: int, pids: Sequence[int]) -> bool:
        for c in self._runtime.containers.values():
            opens = c.script.listens_s
            if c.running.pid in pids and opens is not None:
                return self._clock.now_s() >= c.running.started_at_s + opens
        return False

    def explain(self, attachment: Attachment, port: int, pids: Sequence[int]) -> str:
        return ""

    def resolver(self, home: Path) -> Path | None:
        return None

    async def stop(self) -> None:
        self._attached.clear()


class MakeBelieveHandler:
    """`answer` gets the target and the probe or hook; without one, all is well."""

    def __init__(self, clock: Clock, answer: Callable[[Target, Obj], Result | float] | None = None) -> None:
        self._clock, self._answer = clock, answer
        self.asked: list[tuple[float, str]] = []

    async def ask(self, target: Target, what: Obj, timeout_s: float) -> Result:
        self.asked.append((self._clock.monotonic_s(), target.role.name))
        found = self._answer(target, what) if self._answer else Result(True)
        if isinstance(found, Result):
            await self._clock.sleep(0.001)
            return found
        await self._clock.sleep(min(found, timeout_s))
        return Result(found <= timeout_s, "timed out" if found > timeout_s else "")
