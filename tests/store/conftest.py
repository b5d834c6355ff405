"""The contract suite's two houses: the durable store and its memory twin, each with a disk that can be told to
fail and a writer that can be held. Coroutine tests run on a loop of their own."""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from madang.ports.clock import SystemClock
from madang.ports.journal import Journal, JournalFailed, Loaded, Row
from madang.ports.objects import Key, Kind
from madang.store.history import Window
from madang.store.journaled import JournaledStore
from madang.store.memory import MemoryJournal
from madang.store.model import Encode, Term
from madang.store.sqlite import SqliteJournal
from madang.store.writer import Done, InlineWriter, ThreadWriter, Writer


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


def index(kind: Kind, data: bytes) -> Iterator[Term]:
    obj = orjson.loads(data)
    for label, value in obj.get("labels", {}).items():
        yield ("label", f"{label}={value}")
    if "node" in obj:
        yield ("node", obj["node"])


def encode(**fields: Any) -> Encode:
    return lambda revision: orjson.dumps({**fields, "revision": revision})


def pod(name: str, namespace: str = "shop") -> Key:
    return Key("pods", namespace, name)


class FaultyJournal:
    """Fails every commit while `failing` is set; nothing of such a commit stays."""

    def __init__(self, inner: Journal) -> None:
        self.inner = inner
        self.failing = False
        self.commits = 0

    def load(self) -> Loaded:
        return self.inner.load()

    def append(self, rows: Sequence[Row]) -> None:
        if self.failing:
            raise JournalFailed("the disk is full")
        self.inner.append(rows)

    def sync(self) -> None:
        self.inner.sync()
        self.commits += 1

    def close(self) -> None:
        self.inner.close()


class HeldWriter:
    """Keeps batches back while it is held: what stands between acceptance and the disk."""

    def __init__(self, inner: Writer) -> None:
        self.inner = inner
        self._held: list[tuple[Sequence[Row], Done]] | None = None

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for rows, done in held:
            self.inner.submit(rows, done)

    def submit(self, rows: Sequence[Row], done: Done) -> None:
        if self._held is None:
            self.inner.submit(rows, done)
        else:
            self._held.append((rows, done))

    def close(self) -> None:
        self.inner.close()


class House:
    """Opens stores over one disk, one after the other."""

    def __init__(self, journal: Callable[[], Journal], writer: Callable[..., Writer]) -> None:
        self._make_journal = journal
        self._make_writer = writer
        self.journal: FaultyJournal
        self.writer: HeldWriter

    def open(self, window: Window | None = None) -> JournaledStore:
        self.journal = FaultyJournal(self._make_journal())
        self.writer = HeldWriter(self._make_writer(self.journal, asyncio.get_running_loop()))
        return JournaledStore(self.journal.load(), self.writer, index, SystemClock(), window=window)


def memory_house() -> House:
    disk = MemoryJournal()
    return House(lambda: disk, InlineWriter)


def durable_house(folder: Path) -> House:
    return House(lambda: SqliteJournal(folder / "state.db"), ThreadWriter)


@pytest.fixture(params=["memory", "durable"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    return memory_house() if request.param == "memory" else durable_house(tmp_path)
