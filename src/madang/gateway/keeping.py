"""The keeper, seen from the control: found again or started, asked, heard.

In: the courtyard's folder of sockets and HAProxy's path. Out: typed answers, and the keeper's events by a callback.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.gateway.desired import Bind
from madang.gateway.keeper.record import FORMAT, orphans
from madang.haproxy.admin import connect
from madang.porch import standing
from madang.porch.process import started_ticks

START_S = 10.0
ANSWER_S = 10.0
LOOK_S = 0.005
LOG = "gateway.log"
SOURCES = Path(__file__).resolve().parents[2]  # the folder that holds the package `madang`
CODE = "import sys; sys.path.insert(0, sys.argv[1]); from madang.gateway.keeper.door import main; main(*sys.argv[2:])"


class KeeperGone(Exception):
    """The keeper does not answer: it must be started again."""


@dataclass(frozen=True, slots=True)
class Unopened:
    """A socket that could not be opened. `code` is errno's name: EADDRINUSE, EADDRNOTAVAIL, EACCES ..."""

    bind: Bind
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Worker:
    pid: int
    folder: Path
    admin: Path


class Keeping:
    """A conversation with one keeper. `gone` is set when it ends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.gone = asyncio.Event()
        self._reader, self._writer, self._heard = reader, writer, heard
        self._waiting: asyncio.Future[dict[str, Any]] | None = None
        self._turn = asyncio.Lock()
        self._listening = asyncio.create_task(self._listen(), name="gateway keeper")

    async def bind(self, binds: Sequence[Bind]) -> tuple[Unopened, ...]:
        known = {b.name: b for b in binds}
        asked = [{"name": b.name, "host": b.host, "port": b.port, "own": b.own, "inside": b.inside} for b in binds]
        answer = await self._ask("bind", binds=asked)
        return tuple(Unopened(known[f["name"]], f["code"], f["text"]) for f in answer["failed"])

    async def start(self, folder: Path, admin: Path, names: Iterable[str]) -> Worker:
        """A worker that holds these sockets and no other."""
        return _worker(await self._ask("run", folder=str(folder), admin=str(admin), names=list(names)))

    async def confirm(self, worker: Worker) -> None:
        await self._ask("confirm", pid=worker.pid)

    async def drop(self, names: Iterable[str]) -> None:
        await self._ask("drop", names=list(names))

    async def status(self) -> Mapping[str, Any]:
        return await self._ask("status")

    async def serving(self) -> Worker | None:
        """The worker that serves; None where there is none, or another is about to take its place."""
        status = await self.status()
        told, pending = status.get("current"), status.get("pending", True)  # an older keeper does not say
        return None if told is None or pending else _worker(told)

    async def stop(self, drain_s: float) -> None:
        """Done when the keeper and all its workers are gone."""
        pid = (await self.status())["pid"]
        await self._ask("stop", drain_s=drain_s)
        await asyncio.wait_for(self.gone.wait(), drain_s + START_S)
        await _ended(pid, START_S)

    def when_gone(self, call: Callable[[], None]) -> None:
        """Also where it was we who hung up."""
        self._listening.add_done_callback(lambda _: call())

    async def close(self) -> None:
        """Leave it alone: it goes on."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()

    def _hang_up(self) -> None:
        self.gone.set()
        self._writer.close()

    async def _ask(self, operation: str, **arguments: object) -> dict[str, Any]:
        async with self._turn:
            if self.gone.is_set():
                raise KeeperGone("the keeper of the gateway's sockets is gone")
            self._waiting = asyncio.get_running_loop().create_future()
            self._writer.write(json.dumps({"op": operation, **arguments}).encode() + b"\n")
            try:
                answer = await asyncio.wait_for(self._waiting, ANSWER_S)
            except TimeoutError as error:
                self._hang_up()
                raise KeeperGone(f"the keeper did not answer {operation!r} in {ANSWER_S:.0f} s") from error
            except asyncio.CancelledError:
                self._hang_up()  # its answer is still to come, and would be taken for that to the next question
                raise
            finally:
                self._waiting = None
        if not answer.pop("ok"):
            raise KeeperGone(f"the keeper could not {operation}: {answer['text']}")
        return answer

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                value = json.loads(line)
                if "event" in value:
                    self._heard(value)
                elif self._waiting is not None and not self._waiting.done():
                    self._waiting.set_result(value)
        except ConnectionError:
            pass
        finally:
            self.gone.set()
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(KeeperGone("the keeper ended before it answered"))


async def find(run: Path, heard: Callable[[Mapping[str, Any]], None]) -> Keeping | None:
    """The keeper that an earlier control left behind, if its protocol is ours."""
    try:
        found = Keeping(*await connect(run / "gateway.sock"), heard)
    except OSError:
        return None
    try:
        status = await found.status()
    except KeeperGone:
        await found.close()
        return None
    if status.get("format") == FORMAT:
        return found
    await found.stop(1.0)
    return None


def orphaned(run: Path) -> bool:
    """Whether a worker serves on whose keeper was killed: only a new keeper can end it in order."""
    return bool(orphans(os.fspath(run)))


async def start(run: Path, program: Path, heard: Callable[[Mapping[str, Any]], None]) -> Keeping:
    """A new keeper. The process that we start ends as soon as its fork listens, so there is nobody to reap later."""
    code = await asyncio.to_thread(_launch, run, program)
    if code != 0:
        raise KeeperGone(f"the keeper of the gateway's sockets did not start (exit {code}): {_last_line(run / LOG)}")
    return Keeping(*await connect(run / "gateway.sock"), heard)


def _launch(run: Path, program: Path) -> int:
    """A bare interpreter: half the memory of a full one."""
    run.mkdir(parents=True, exist_ok=True)
    arguments = [sys.executable, "-I", "-S", "-c", CODE, *map(os.fspath, (SOURCES, program, run)), *standing.words()]
    with open(run / LOG, "wb") as log:
        return subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            timeout=START_S,
            check=False,
        ).returncode


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


async def _ended(pid: int, patience_s: float) -> None:
    """Until the process is gone; its socket closes a moment earlier."""
    for _ in range(int(patience_s / LOOK_S)):
        if started_ticks(pid) == 0:
            return
        await asyncio.sleep(LOOK_S)


def _worker(told: Mapping[str, Any]) -> Worker:
    return Worker(told["pid"], Path(told["folder"]), Path(told["admin"]))
