"""The SQLite journal by itself: what it keeps, what it refuses, and a disk that is really full."""

import asyncio
import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.ports.clock import SystemClock
from madang.ports.journal import JournalFailed, JournalRefused, Row
from madang.store.durable import open_store
from madang.store.journaled import JournaledStore
from madang.store.model import StoreFailed
from madang.store.sqlite import SCHEMA, SqliteJournal
from madang.store.writer import ThreadWriter
from tests.store.conftest import FaultyJournal, encode, index, pod


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "house" / "state.db"


def test_rows_and_revision(path: Path) -> None:
    journal = SqliteJournal(path)
    assert (list(journal.load().rows), journal.load().revision) == ([], 0)
    journal.append([Row(pod("a"), 1, b"1"), Row(pod("b"), 2, b"2"), Row(pod("a"), 3, b"3")])
    journal.append([Row(pod("b"), 4, None)])
    journal.sync()
    journal.append([Row(pod("c"), 5, b"never synced")])
    journal.close()
    journal = SqliteJournal(path)
    loaded = journal.load()
    assert (list(loaded.rows), loaded.revision) == ([Row(pod("a"), 3, b"3")], 4)
    journal.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_failed_commit_leaves_nothing_and_the_next_one_works(path: Path) -> None:
    journal = SqliteJournal(path)
    journal._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(JournalFailed, match=r"state\.db: the disk is full .* free space on the file system of"):
        journal.append([Row(pod("big"), 1, b"x" * 200_000)])
    journal.sync()
    journal.append([Row(pod("small"), 2, b"x")])
    journal.sync()
    journal.close()
    journal = SqliteJournal(path)
    assert [row.key.name for row in journal.load().rows] == ["small"]
    journal.close()


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    SqliteJournal(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(JournalRefused) as refused:
        SqliteJournal(path)
    assert str(refused.value) == (
        f"{path}: was written by a newer Madang (its schema is 2, this Madang knows up to 1): run the newer Madang, "
        "or move the file away to begin with an empty courtyard"
    )
    assert path.read_bytes() == before


def test_what_is_not_ours_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all, by far " * 100)
    with pytest.raises(JournalRefused, match="is not a database, or is damaged"):
        SqliteJournal(path)
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()
    with pytest.raises(JournalRefused, match="is another program's database"):
        SqliteJournal(path)
    with pytest.raises(JournalRefused, match="cannot be opened"):
        SqliteJournal(path.parent)


def test_two_at_once(path: Path) -> None:
    first = SqliteJournal(path)
    with pytest.raises(JournalRefused, match=r"state\.db: is in use by another process"):
        SqliteJournal(path)
    first.append([Row(pod("a"), 1, b"1")])
    first.sync()
    first.close()
    SqliteJournal(path).close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_refuses_keeps_running_and_recovers(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    store = await open_store(small_disk / "state.db", index, SystemClock())
    await store.put(pod("first"), encode(v=1), expect=0)
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    writes = [store.put(pod(f"p{n}"), encode(padding="x" * 20_000), expect=0) for n in range(40)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(r) for r in results} == {StoreFailed}
    assert "the disk is full (0 bytes free): free space on the file system of " in str(results[0])
    assert [e.key.name for e in store.list("pods").entries] == ["first"]
    ballast.unlink()
    again = await store.put(pod("again"), encode(v=2), expect=0)
    assert again.revision == 42
    await store.close()
    store = await open_store(small_disk / "state.db", index, SystemClock())
    assert [e.key.name for e in store.list("pods").entries] == ["again", "first"]
    assert store.revision == 42
    await store.close()


async def test_refusal_to_open_leaves_no_thread(path: Path) -> None:
    first = await open_store(path, index, SystemClock())
    with pytest.raises(JournalRefused):
        await open_store(path, index, SystemClock())
    await first.close()


def test_a_file_system_that_becomes_read_only(path: Path) -> None:
    """As a disk does that has an error: SQLite refuses to write from then on."""
    journal = SqliteJournal(path)
    journal._db.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalFailed, match="its file system is read-only now: nothing was written"):
        journal.append([Row(pod("a"), 1, b"1")])
    journal._db.execute("PRAGMA query_only = OFF")
    journal.append([Row(pod("a"), 1, b"1")])
    journal.sync()
    journal.close()


class SlowJournal(FaultyJournal):
    """Each fsync takes until it is let go."""

    def __init__(self, inner: SqliteJournal) -> None:
        super().__init__(inner)
        self.syncing, self.go = threading.Event(), threading.Event()

    def sync(self) -> None:
        self.syncing.set()
        self.go.wait()
        super().sync()


async def test_a_slow_disk_holds_up_writes_and_nobody_else(path: Path) -> None:
    """Reads answer, watches stay silent; what comes meanwhile is one commit, in its order."""
    journal = SlowJournal(SqliteJournal(path))
    store = JournaledStore(journal.load(), ThreadWriter(journal, asyncio.get_running_loop()), index, SystemClock())
    watch = store.watch("pods", since=0)
    first = asyncio.ensure_future(store.put(pod("p0"), encode(v=0), expect=0))
    await asyncio.to_thread(journal.syncing.wait)
    rest = [asyncio.ensure_future(store.put(pod(f"p{n}"), encode(v=n), expect=0)) for n in range(1, 300)]
    heard = asyncio.ensure_future(watch.next())
    for _ in range(100):
        await asyncio.sleep(0)
    assert store.get(pod("p0")) is None and not heard.done() and not first.done() and not any(w.done() for w in rest)
    assert store.newest(pod("p299")) is not None, "what is accepted is known to who writes next"
    journal.go.set()
    await asyncio.gather(first, *rest)
    assert journal.commits == 2
    seen = list(await heard)
    while len(seen) < 300:
        seen += await watch.next()
    assert [change.entry.revision for change in seen] == list(range(1, 301))
    await store.close()
