"""Puts a backup back: unpacks it beside the courtyard, makes it one of this place, and lets it take the place at once.

In: a file, the home where it should live. Out: a `Fresh` folder beside that home, then the home itself. Nothing of the
courtyard that is there is touched until the new one is whole; then the two change places in one step (renameat2), so
that a crash at any moment leaves the one or the other.
"""

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from madang.courtyard.backup import reading
from madang.courtyard.backup.manifest import STATE, Manifest, Wrong
from madang.courtyard.backup.moving import Moved
from madang.courtyard.removal import remove
from madang.ports.journal import JournalFailed, JournalRefused, Loaded
from madang.store.sqlite import SqliteJournal

MARK = ".fresh"  # in a folder that has not taken its place yet: what stands there without it is the one before
# Of this place, not of the backup; an open dashboard finds the same address, and is still let in.
CARRIED = ("addresses.json", "api.port", "dashboard.port", "dashboard.key", "dashboard.used")
AT_FDCWD, RENAME_EXCHANGE = -100, 2
BEYOND = 1_000_000  # where the present revision cannot be read


@dataclass(frozen=True, slots=True)
class Fresh:
    """Unpacked, checked, and fit for `home`; not in its place yet."""

    folder: Path
    home: Path
    manifest: Manifest


def beside(home: Path, word: str) -> Path:
    return home.with_name(f".{home.name}.{word}")


@contextmanager
def fresh(file: Path, home: Path) -> Iterator[Fresh]:
    """Removed at the end of the block unless it has taken its place. Raises Wrong, OSError."""
    folder = beside(home, "restoring")
    home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(home.parent):
        put_away(folder, home)
        folder.mkdir(mode=0o700)
        try:
            (folder / MARK).touch()
            manifest = reading.unpack(file, folder)
            settle(folder, manifest, home)
            yield Fresh(folder, home, manifest)
        finally:
            if (folder / MARK).exists():
                put_away(folder, home)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """One restore at a time."""
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise OSError(error.errno, "another restore is under way", str(root)) from None
    finally:
        os.close(fd)


def put_away(folder: Path, home: Path) -> None:
    """What a restore that was killed has left: its half-made folder, or the courtyard that was there before."""
    if (folder / MARK).exists():
        # The mark goes last: else half of it would be taken for the courtyard that was there before.
        for path in folder.iterdir():
            if path.name != MARK:
                remove(path)
        (folder / MARK).unlink()
    if folder.exists() and not any(folder.iterdir()):  # killed before it was marked, or at the line above
        folder.rmdir()
    elif folder.exists():
        folder.rename(before(home))


def before(home: Path) -> Path:
    """Where the courtyard that was there is kept, until it is not needed any more."""
    stem = beside(home, f"before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    names = [stem, *(stem.with_name(f"{stem.name}-{n}") for n in range(2, 100))]
    return next(name for name in names if not name.exists())


def kept(home: Path) -> list[Path]:
    """All that restores have left beside this home."""
    return sorted(path for word in ("before-*", "restoring") for path in home.parent.glob(f".{home.name}.{word}"))


def settle(folder: Path, manifest: Manifest, home: Path) -> None:
    """What a courtyard elsewhere could not know: where it lives now, and that nothing of it runs."""
    if not (folder / STATE).is_file():
        raise Wrong(f"is damaged: it holds no {STATE}")
    moved = Moved(manifest.home, str(home))
    try:
        rewrite(folder / STATE, moved)
    except (JournalRefused, JournalFailed) as error:
        raise Wrong(f"holds a state that cannot be read here: {error}") from error
    for path in (folder / "images" / "programs").glob("*.json"):
        path.write_bytes(moved.text(path.read_bytes()))
    (folder / "boot-id").write_text("restored")  # as after a reboot: who waited for others waits again
    for name in ("run", "logs"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)


def rewrite(state: Path, moved: Moved) -> None:
    """Also brings an older format to today's."""
    old = SqliteJournal(state)
    try:
        loaded = old.load()
        new = state.with_name(f"{state.name}.moved")
        made = SqliteJournal(new)
        try:
            made.fill(Loaded(map(moved.row, loaded.rows), loaded.revision))
        finally:
            made.close()
    finally:
        old.close()
    new.replace(state)
    for older in state.parent.glob(f"{state.name}.v*"):
        older.unlink()


def overtake(one: Fresh) -> None:
    """Revisions never go back: whoever knows a later one of the courtyard that was there must list anew."""
    newest = 0
    if (one.home / STATE).exists():
        try:
            present = SqliteJournal(one.home / STATE)
            newest = present.load().revision
            present.close()
        except (JournalRefused, OSError):  # damaged, perhaps: then this is why it is put back
            newest = one.manifest.revision + BEYOND
    journal = SqliteJournal(one.folder / STATE)
    journal.raise_to(max(newest, one.manifest.revision) + 1)
    journal.close()


def swap(one: Fresh) -> Path | None:
    """The new one takes its place, all at once. Where the one before is kept; None where there was none. Nothing of
    that one runs, and its lock is ours."""
    overtake(one)
    for name in CARRIED:
        with suppress(FileNotFoundError):
            shutil.copy2(one.home / name, one.folder / name)
    sync(one.folder)
    aside = None
    if one.home.exists():
        (one.home / MARK).unlink(missing_ok=True)  # of a restore that was killed at the line below
        exchange(one.folder, one.home)
        aside = before(one.home)
        try:
            one.folder.rename(aside)
        except OSError:  # it is put back all the same: only the name is not the one it should have
            aside = one.folder
    else:
        one.folder.rename(one.home)
    (one.home / MARK).unlink()
    return aside


def sync(folder: Path) -> None:
    """All that was unpacked is on disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        ctypes.CDLL(None).syncfs(fd)
    finally:
        os.close(fd)


def swap_back(home: Path, aside: Path) -> None:
    """The new one did not come up: the one before has its place again."""
    exchange(aside, home)
    with suppress(OSError):
        remove(aside)


def exchange(one: Path, other: Path) -> None:
    """Two folders change places in one step."""
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    number = errno.ENOSYS
    if renameat2 is not None:
        if renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
            return
        number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        raise OSError(
            number,
            "this file system cannot let two folders change places at once: restore to another --name, or "
            "`madang down --purge` first",
            str(other),
        )
    raise OSError(number, os.strerror(number), str(other))
