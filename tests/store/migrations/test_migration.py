"""An older state file becomes one of today's, by steps; killed anywhere, or on a full disk, it is still there.

The older format is an example of what steps are for: it had no table `head`, named services otherwise, and kept rows
that nobody needs.
"""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from madang.ports.clock import SystemClock
from madang.ports.journal import JournalRefused, Row
from madang.ports.objects import Key
from madang.store import durable
from madang.store.durable import open_store
from madang.store.migrations.step import STEPS, Step
from madang.store.sqlite import APPLICATION_ID, SCHEMA, SqliteJournal
from tests.store.conftest import index

OLDEST = """
CREATE TABLE things (
  kind TEXT, namespace TEXT, name TEXT, revision INTEGER, data BLOB, PRIMARY KEY (kind, namespace, name)
);
"""


def renamed(row: Row) -> Row | None:
    if row.key.kind == "leases":
        return None
    if row.key.kind != "service":
        return row
    return Row(Key("services", row.key.namespace, row.key.name), row.revision, row.data)


def labelled(row: Row) -> Row:
    return row._replace(data=orjson.dumps({**orjson.loads(row.data or b""), "labels": {"from": "old"}}))


FIRST = Step(
    source=0,
    row=renamed,
    rows="SELECT kind, namespace, name, revision, data FROM things",
    revision="SELECT max(revision) FROM things",
)
WAY = (FIRST, Step(source=1, row=labelled))
NEXT = 2  # the format that comes after both


def oldest(path: Path, services: int = 3) -> Path:
    db = sqlite3.connect(path)
    db.executescript(OLDEST)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for number in range(services):
        data = orjson.dumps({"n": number, "padding": "x" * 2000})
        db.execute("INSERT INTO things VALUES ('service', 'shop', ?, ?, ?)", (f"s{number}", number + 1, data))
    db.execute("INSERT INTO things VALUES ('leases', 'shop', 'gone', ?, x'7b7d')", (services + 1,))
    db.commit()
    db.close()
    return path


def known(path: Path) -> tuple[list[str], int]:
    journal = SqliteJournal(path, steps=WAY, schema=NEXT)
    try:
        loaded = journal.load()
        rows = list(loaded.rows)
        assert all(row.key.kind == "services" and b'"from":"old"' in (row.data or b"") for row in rows)
        return sorted(row.key.name for row in rows), loaded.revision
    finally:
        journal.close()


def test_two_steps_at_once_and_the_older_file_is_kept(tmp_path: Path) -> None:
    path = oldest(tmp_path / "state.db")
    before = dump(path)
    journal = SqliteJournal(path, steps=WAY, schema=NEXT)
    journal.close()
    assert journal.older is not None and journal.older.name.startswith("state.db.v0-")
    assert known(path) == (["s0", "s1", "s2"], 4), "a revision that only a dropped row had is not given again"
    assert dump(journal.older) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state.db", journal.older.name]
    assert path.stat().st_mode & 0o777 == 0o600
    again = SqliteJournal(path, steps=WAY, schema=NEXT)
    again.close()
    assert again.older is None


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    try:
        return [*db.iterdump(), *map(str, db.execute("PRAGMA user_version"))]
    finally:
        db.close()


@pytest.mark.parametrize("moment", ["folded", "written", "closed", "kept", "replaced"])
def test_killed_at_every_step(moment: str, tmp_path: Path) -> None:
    path = oldest(tmp_path / "state.db")
    before = dump(path)

    def reached(now: str) -> None:
        if now == moment:
            os._exit(9)

    pid = os.fork()
    if pid == 0:
        try:
            SqliteJournal(path, steps=WAY, schema=NEXT, reached=reached)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9, f"the moment {moment!r} was never reached"
    if moment != "replaced":
        assert dump(path) == before, "the older file is not as it was"
    assert known(path) == (["s0", "s1", "s2"], 4)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
    assert any(dump(kept) == before for kept in tmp_path.glob("state.db.v0-*"))


def test_a_step_that_fails_leaves_the_older_file(tmp_path: Path) -> None:
    path = oldest(tmp_path / "state.db")
    before = dump(path)

    def broken(row: Row) -> Row:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        SqliteJournal(path, steps=(replace(FIRST, row=broken), WAY[1]), schema=NEXT)
    assert dump(path) == before and [p.name for p in tmp_path.iterdir()] == ["state.db"]


def test_one_too_old(tmp_path: Path) -> None:
    path = oldest(tmp_path / "state.db")
    before = dump(path)
    with pytest.raises(JournalRefused, match=r"state\.db: is of format 0, which this Madang no longer reads: run a"):
        SqliteJournal(path, steps=WAY[1:], schema=NEXT)
    assert dump(path) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_refuses_and_touches_nothing(small_disk: Path) -> None:
    path = oldest(small_disk / "state.db", services=250)
    before = dump(path)
    (small_disk / "ballast").write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * 4096 - 200_000))
    with pytest.raises(
        JournalRefused, match=r"could not be brought to today's format, and is as it was: .*disk is full"
    ):
        SqliteJournal(path, steps=WAY, schema=NEXT)
    assert dump(path) == before and sorted(p.name for p in small_disk.iterdir()) == ["ballast", "state.db"]


async def test_it_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = oldest(tmp_path / "state.db")
    monkeypatch.setattr(durable, "SqliteJournal", lambda path: SqliteJournal(path, steps=WAY, schema=NEXT))
    notes: list[str] = []
    store = await open_store(path, index, SystemClock(), say=notes.append)
    assert [entry.key.name for entry in store.list("services").entries] == ["s0", "s1", "s2"]
    await store.close()
    (note,) = notes
    assert "brought from an older format to today's; as it was it is kept in " in note and "state.db.v0-" in note


def test_steps_lead_to_today_without_a_gap() -> None:
    assert [step.source for step in STEPS] == list(range(SCHEMA - len(STEPS), SCHEMA))
