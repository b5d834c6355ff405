"""The journal on disk: one SQLite file in WAL mode with synchronous=FULL, one transaction a group commit.

In: rows. Out: rows, at start. A full disk fails the commit and leaves the file as it was; the next commit tries
again. The file is held exclusively: two writers would each believe in their own revisions. `user_version` is the
format's number; a file of a newer format is refused and left alone, an older one is migrated (`store.migrations`).
"""

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from madang.ports.journal import JournalFailed, JournalRefused, Loaded, Row
from madang.ports.objects import Key
from madang.store.migrations.migration import Reached, migrate
from madang.store.migrations.step import REVISION, ROWS, STEPS, Step

SCHEMA = 1
APPLICATION_ID = 0x4D414441  # "MADA": tells our file from another program's database
WAL_BYTES = 8 << 20  # what the WAL shrinks back to after a burst

TABLES = """
CREATE TABLE objects (
  kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (kind, namespace, name)
);
-- The newest revision ever committed. The objects do not tell it: a removal takes the highest one away.
CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL);
INSERT INTO head VALUES (1, 0);
"""
PUT = """
INSERT INTO objects (kind, namespace, name, revision, data) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, namespace, name) DO UPDATE SET revision = excluded.revision, data = excluded.data
"""
REMOVE = "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?"


class SqliteJournal:
    """Opened on one thread, then used by one other. Raises JournalRefused where the file cannot be ours."""

    def __init__(
        self, path: Path, *, steps: Sequence[Step] = STEPS, reached: Reached = lambda moment: None, schema: int = SCHEMA
    ) -> None:
        """`steps`, `schema` and `reached` (a crash there must do no harm) are other ones in tests only."""
        self._path, self._schema = path, schema
        self.older: Path | None = None  # what was there before it was migrated
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Secrets stand in it; SQLite gives its WAL the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._db = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise JournalRefused(refusal(path, error)) from error
        try:
            if self._is_older():
                self.older = migrate(path, self._db, steps, self._fill_new, reached)
                self._db = self._connect()
            self._open()
        except (OSError, sqlite3.Error) as error:
            self._db.close()
            raise JournalRefused(refusal(path, error)) from error
        except JournalFailed as error:
            raise JournalRefused(
                f"{path}: could not be brought to today's format, and is as it was: {error}"
            ) from error
        except BaseException:
            self._db.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=0.0)

    def _fill_new(self, path: Path, loaded: Loaded) -> None:
        new = SqliteJournal(path, schema=self._schema)
        try:
            new.fill(loaded)
        finally:
            new.close()

    def _is_older(self) -> bool:
        """Whether the file is ours, of an older format; it is locked and checked."""
        db = self._db
        # No shared-memory file, and the lock is held from the first read until close or death.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION_ID:
            raise JournalRefused(f"{self._path}: is another program's database: move it away, or use another folder")
        if version > self._schema:
            raise JournalRefused(
                f"{self._path}: was written by a newer Madang (its schema is {version}, this Madang knows up to "
                f"{self._schema}): run the newer Madang, or move the file away to begin with an empty courtyard"
            )
        return bool(tables) and version < self._schema

    def _open(self) -> None:
        db = self._db
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        db.execute("BEGIN EXCLUSIVE")
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            for statement in TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {self._schema}")
        db.execute("COMMIT")

    def load(self) -> Loaded:
        (revision,) = self._db.execute(REVISION).fetchone()
        return Loaded(self._rows(), revision)

    def _rows(self) -> Iterator[Row]:
        for kind, namespace, name, revision, data in self._db.execute(ROWS):
            yield Row(Key(kind, namespace, name), revision, data)

    def fill(self, loaded: Loaded) -> None:
        """All of it, into an empty file, in one transaction. Raises JournalFailed."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(PUT, ((*row.key, row.revision, row.data) for row in loaded.rows))
            self._db.execute("UPDATE head SET revision = ?", (loaded.revision,))
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.sync()

    def raise_to(self, revision: int) -> None:
        """No later revision will be below this one."""
        self._db.execute("UPDATE head SET revision = max(revision, ?)", (revision,))

    def append(self, rows: Sequence[Row]) -> None:
        last = {row.key: row for row in rows}  # of several states of one object only the last is worth a page
        puts = [(*row.key, row.revision, row.data) for row in last.values() if row.data is not None]
        removals = [row.key for row in last.values() if row.data is None]
        try:
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(PUT, puts)
            self._db.executemany(REMOVE, removals)
            self._db.execute("UPDATE head SET revision = ?", (rows[-1].revision,))
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def sync(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._db.close()

    def _failed(self, error: sqlite3.Error) -> JournalFailed:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as second:  # SQLite has rolled back by itself, or will before the next transaction
            error.add_note(f"while rolling back: {second}")
        return JournalFailed(failure(self._path, error))


def refusal(path: Path, error: Exception) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_BUSY"):
        return f"{path}: is in use by another process: a courtyard of this name is running already"
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"{path}: is not a database, or is damaged ({error}): restore it from a copy, or move it away"
    if code.startswith("SQLITE_FULL"):
        return failure(path, error)
    if code.startswith("SQLITE_READONLY") or getattr(error, "errno", 0) == errno.EROFS:
        return f"{path}: its file system is read-only: make it writable, or set MADANG_HOME to another folder"
    return f"{path}: cannot be opened: {error}"


def failure(path: Path, error: Exception) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_FULL"):
        return (
            f"{path}: the disk is full ({free_bytes(path.parent)} bytes free): free space on the file system "
            f"of {path.parent}; nothing was written"
        )
    if code.startswith("SQLITE_READONLY"):
        return f"{path}: its file system is read-only now: nothing was written; what runs goes on"
    return f"{path}: the write failed ({code or 'SQLite'}: {error}): nothing was written"


def free_bytes(folder: Path) -> int:
    try:
        room = os.statvfs(folder)
    except OSError:
        return 0
    return room.f_bavail * room.f_frsize
