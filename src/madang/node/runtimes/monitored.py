"""What every runtime with a monitor over each container shares: adopt, wait, signal, kill, count, read logs.

In: the records that monitors leave in the folders of starts. Out: what runs and how it ended. Nothing is remembered
that the start's folder doesn't hold: `adopt` finds everything again, whichever runtime started it.
"""

import asyncio
import os
import signal as signals
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes import cgroup, logs
from madang.node.runtimes.aftermath import end_marked, give_up, gone, lost, to_exit, unkillable
from madang.node.runtimes.monitor import record
from madang.node.runtimes.notices import Notices
from madang.node.runtimes.runtime import Exit, Running, Sample, SignalRefused
from madang.node.runtimes.usage import Processes
from madang.node.runtimes.zygote import NoZygote, Zygote
from madang.ports.errors import NotFound


class Monitored:
    """`zygote` is where monitors are forked from."""

    def __init__(self, zygote: Zygote) -> None:
        self.zygote = zygote
        self._processes = Processes()
        self._records: dict[str, dict[str, Any]] = {}
        self._notices = Notices()

    async def begin(self, id: str, folder: Path, spec: Any) -> Running:
        """Have a monitor started; once more where the zygote was gone before anything had begun."""
        for attempt in (1, 2):
            try:
                answer = await self.zygote.ask(spec)
                break
            except NoZygote:
                begun = self.adopt(folder)
                if isinstance(begun, Running):
                    return begun
                if begun is not None:  # and is over
                    return Running(id, 0, 0, begun.started_at_s, failed=begun)
                if attempt == 2:
                    raise
                await self.clear(folder)
        return self._running(id, answer.get("running"), answer.get("exit"), folder)

    async def clear(self, folder: Path) -> None:
        """Of what a start has left that was cut."""

    def kept(self, running: Running, folder: Path) -> dict[str, Any]:
        """The record of what runs. Raises NotFound where it does not."""
        found = self._records.get(running.id) or record.read(folder, record.RUNNING)
        if found is None or not record.alive(found["monitorPid"], found["monitorTicks"]):
            raise NotFound(f'container "{running.id}" is not running')
        return found

    def _running(self, id: str, running: dict[str, Any] | None, ended: dict[str, Any] | None, folder: Path) -> Running:
        if running is None:
            failed = to_exit(ended or {})
            return Running(id, 0, 0, failed.started_at_s, failed=failed)
        self._records[id] = {**running, "folder": str(folder)}
        return Running(id, running["pid"], running["startedTicks"], running["startedAt"])

    def adopt(self, folder: Path) -> Running | Exit | None:
        if ended := record.read(folder, record.EXIT):
            return to_exit(ended)
        running = record.read(folder, record.RUNNING)
        if running is None:
            return None
        if record.alive(running["monitorPid"], running["monitorTicks"]):
            return self._running(running["id"], running, None, folder)
        if ended := record.read(folder, record.EXIT):  # it ended between the two looks
            return to_exit(ended)
        self._records.pop(running["id"], None)
        end_marked(running)
        if running["cgroup"]:
            cgroup.remove(running["cgroup"]["folders"])
        return lost(running)

    async def wait(self, running: Running, folder: Path) -> Exit:
        if running.failed is not None:
            return running.failed
        kept = self._records.get(running.id) or record.read(folder, record.RUNNING)
        if kept is not None:
            await gone(kept["monitorPid"], kept["monitorTicks"])
        found = self.adopt(folder)
        self._records.pop(running.id, None)
        return found if isinstance(found, Exit) else lost(kept or {"startedAt": running.started_at_s})

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        if not running.pid or not record.alive(running.pid, running.started_ticks):
            return
        refused = False
        for target in (-running.pid, running.pid) if group else (running.pid,):
            try:
                os.kill(target, signal)
                return
            except ProcessLookupError:
                continue
            except PermissionError:  # where a set-user-id program can be run, it may become somebody else
                refused = True
        if refused and record.alive(running.pid, running.started_ticks):
            raise SignalRefused(unkillable(running.pid))

    async def kill(self, running: Running) -> None:
        """The monitor ends the rest as soon as the program is gone, and writes down how."""
        try:
            await self.signal(running, signals.SIGKILL)
        except SignalRefused as refused:
            if kept := self._records.get(running.id):
                give_up(kept, str(refused))
            raise

    async def remove(self, folder: Path) -> None:
        await asyncio.to_thread(forget, folder)

    def sample(self, running: Running) -> Sample | None:
        kept = self._records.get(running.id)
        if kept is None:
            return None
        if kept["cgroup"]:
            return cgroup.sample(kept["cgroup"])
        return self._processes.sample(kept["monitorPid"])

    def logs(
        self, log: Path, *, until: "asyncio.Future[Any] | None" = None, tail: int | None = None, stream: str = ""
    ) -> AsyncGenerator[bytes, None]:
        return logs.read(log, until=until, tail=tail, stream=stream, notices=self._notices)


def forget(folder: Path) -> None:
    """Blocks for some milliseconds on a busy disk."""
    if (kept := record.read(folder, record.RUNNING)) and kept["cgroup"]:
        cgroup.remove(kept["cgroup"]["folders"])
    for name in (record.RUNNING, record.EXIT, record.partial(record.EXIT), "stdin"):
        (folder / name).unlink(missing_ok=True)
    for place in (folder / "root", folder):
        with suppress(OSError):
            place.rmdir()
