"""The courtyard's own door, for commands that need more than its API: a consistent copy of the state, pods that pause.

In: one JSON line a question on `run/courtyard.sock` (mode 0600). Out: one JSON line an answer. What a caller has paused
goes on when the caller hangs up, however it ends; the copy is written by a thread, from memory, and no write waits.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from madang.node.probes.patient import Pauses
from madang.node.runtimes import standstill
from madang.ports.journal import JournalFailed, JournalRefused, Loaded
from madang.ports.settings import Settings
from madang.store.journaled import JournaledStore
from madang.store.sqlite import SqliteJournal

log = logging.getLogger(__name__)
DOOR = "courtyard.sock"


@asynccontextmanager
async def desk(settings: Settings, store: JournaledStore, pauses: Pauses) -> AsyncIterator[None]:
    path = settings.run / DOOR
    path.unlink(missing_ok=True)
    visitors: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visitors.add(task)
        try:
            await Visit(settings.home, store, pauses, reader, writer).serve()
        finally:
            visitors.discard(task)

    server = await asyncio.start_unix_server(meet, sock=bound(path))
    try:
        yield
    finally:
        server.close()
        for task in visitors:
            task.cancel()
        await asyncio.gather(*visitors, return_exceptions=True)
        path.unlink(missing_ok=True)


class Visit:
    def __init__(
        self,
        home: Path,
        store: JournaledStore,
        pauses: Pauses,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._home, self._store, self._pauses = home, store, pauses
        self._reader, self._writer = reader, writer
        self._stopped: list[standstill.Process] = []
        self._pausing = False

    async def serve(self) -> None:
        try:
            while line := await self._reader.readline():
                answer = await self._answer(line)
                self._writer.write(json.dumps(answer).encode() + b"\n")
                await self._writer.drain()
        except ConnectionError:
            pass
        finally:
            await asyncio.shield(self.resume())
            self._writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        known: dict[str, Callable[..., Awaitable[dict[str, Any]]]]
        known = {"snapshot": self.snapshot, "pause": self.pause, "resume": self.resume}
        try:
            asked = json.loads(line)
            return {"ok": True, **await known[asked.pop("op")](**asked)}
        except (OSError, TimeoutError, JournalRefused, JournalFailed) as error:
            return {"ok": False, "text": str(error)}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return {"ok": False, "text": f"{type(error).__name__}: {error}"}

    async def snapshot(self, path: str) -> dict[str, Any]:
        """Everything that is committed now, as a state file at `path`."""
        loaded = self._store.snapshot()
        await asyncio.to_thread(write, Path(path), loaded)
        return {"revision": loaded.revision}

    async def pause(self, pods: Sequence[str]) -> dict[str, Any]:
        if self._pausing or self._pauses.uids:
            raise TimeoutError("pods are paused already, by another backup")
        self._pausing = True
        self._pauses.begin(pods)
        stopping = asyncio.ensure_future(asyncio.to_thread(standstill.stop, self._home, list(pods)))
        try:
            self._stopped = await asyncio.shield(stopping)
        except (
            asyncio.CancelledError
        ):  # the thread goes on: who stands still because of it goes on afterwards (`serve`)
            with contextlib.suppress(OSError, TimeoutError):
                self._stopped = await stopping
            raise
        except BaseException:
            self._pausing = False
            self._pauses.end()
            raise
        return {"processes": self._stopped}

    async def resume(self) -> dict[str, Any]:
        if self._pausing:
            stopped, self._stopped = self._stopped, []
            with contextlib.suppress(OSError):
                await asyncio.to_thread(standstill.go_on, self._home, stopped)
            self._pausing = False
            self._pauses.end()
        return {}


def bound(path: Path) -> socket.socket:
    """Only its owner may open it; not at the mercy of the umask, which all threads share."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(os.fspath(path))
        path.chmod(0o600)  # nobody is let in before it listens
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def write(path: Path, loaded: Loaded) -> None:
    journal = SqliteJournal(path)
    try:
        journal.fill(loaded)
    finally:
        journal.close()
