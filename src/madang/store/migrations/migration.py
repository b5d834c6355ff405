"""Brings a state file of an older format to today's: the older one stays beside it, as it was.

In: a path, an open connection to the older file (locked by us), the steps. Out: the path holds the new format, and
`state.db.v1-20260131-120000` the old. The new file is written and synced under another name and takes the old one's
place by one rename, so a crash or a full disk at any moment leaves a file that opens: the old one or the new.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from madang.ports.durable import sync_folder
from madang.ports.journal import JournalRefused, Loaded, Row
from madang.ports.objects import Key
from madang.store.migrations.step import Step

log = logging.getLogger(__name__)
Fill = Callable[[Path, Loaded], None]  # makes a file of today's format
Reached = Callable[[str], None]  # a name for each moment at which a crash must do no harm


def migrate(
    path: Path, db: sqlite3.Connection, steps: Sequence[Step], fill: Fill, reached: Reached = lambda moment: None
) -> Path:
    """Closes `db`. The older file's new place. Raises JournalRefused, the older file untouched."""
    (source,) = db.execute("PRAGMA user_version").fetchone()
    way = [step for step in steps if step.source >= source]
    if not way or way[0].source != source:
        raise JournalRefused(
            f"{path}: is of format {source}, which this Madang no longer reads: run a Madang that made or migrated it "
            "once, or move the file away to begin with an empty courtyard"
        )
    new, kept = path.with_name(f".{path.name}.new"), beside(path, source)
    try:
        # All of the old one in one file, or a link to it would be half of it.
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        reached("folded")
        remove(new)
        fill(new, Loaded(migrated(db, way), revision(db, way[0])))
        reached("written")
        db.execute("PRAGMA journal_mode = DELETE")
        reached("closed")
        keep(path, kept)
        reached("kept")
        os.replace(new, path)
        sync_folder(path.parent)
        reached("replaced")
    except BaseException:
        remove(new)
        raise
    finally:
        db.close()
    log.info("%s: brought from format %d to today's; the older one is kept as %s", path, source, kept.name)
    return kept


def migrated(db: sqlite3.Connection, way: Sequence[Step]) -> Iterator[Row]:
    """Each row through all the steps; revisions and keys are a step's own business."""
    for kind, namespace, name, at, data in db.execute(way[0].rows):
        row: Row | None = Row(Key(kind, namespace, name), at, data)
        for step in way:
            row = None if row is None else step.row(row)
        if row is not None:
            yield row


def revision(db: sqlite3.Connection, step: Step) -> int:
    (newest,) = db.execute(step.revision).fetchone()
    return int(newest or 0)


def beside(path: Path, source: int) -> Path:
    """A name that is free: a migration that was cut short may have left one of the same second."""
    stem = f"{path.name}.v{source}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = [path.with_name(stem), *(path.with_name(f"{stem}-{n}") for n in range(2, 100))]
    return next(name for name in names if not name.exists())


def keep(path: Path, kept: Path) -> None:
    """A second name for the same file; a copy where the file system knows no second names."""
    try:
        os.link(path, kept)
    except OSError:
        half = kept.with_name(f".{kept.name}.half")
        shutil.copy2(path, half)
        os.replace(half, kept)


def remove(new: Path) -> None:
    for name in (new.name, f"{new.name}-wal", f"{new.name}-journal"):
        new.with_name(name).unlink(missing_ok=True)
