"""Takes a backup of a courtyard, running or not, without stopping it.

In: its home, the file to make. Out: the file, and what was done (`Taken`). The state is copied first, at one revision;
then each group of volumes: most of it while its pods write, the rest while they stand still for a moment, so that a
copy is as good as after a power cut. The copies wait in the home until the archive is written, and are removed.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from madang import __version__
from madang.courtyard.backup import contents
from madang.courtyard.backup.asking import House, house
from madang.courtyard.backup.manifest import STATE, Manifest
from madang.courtyard.backup.mirror import Mirror, written_maps
from madang.courtyard.backup.writing import archive
from madang.courtyard.removal import remove
from madang.kinds.claims import VOLUMES
from madang.ports.objects import Obj
from madang.store.sqlite import SqliteJournal

ASIDE = "backup-"  # a folder in the home; what a killed one left is removed by the next
OWN = ("settings.json", "admin.token", "kubeconfig", "pki", "images/programs")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pause:
    pods: tuple[str, ...]
    seconds: float


@dataclass(slots=True)
class Taken:
    file: Path
    revision: int = 0
    objects: int = 0
    volumes: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    pauses: list[Pause] = field(default_factory=list)
    size_bytes: int = 0
    seconds: float = 0.0


def take(home: Path, name: str, file: Path, *, runs: bool, pause: bool = True, say: Say = lambda line: None) -> Taken:
    """Raises OSError (a full disk, say) and `asking.Unanswered`; then there is no file, and nothing stands still."""
    begun = time.monotonic()
    taken = Taken(file)
    with house(home, runs=runs) as courtyard:
        sweep(home)
        aside = Path(tempfile.mkdtemp(prefix=f"{ASIDE}{os.getpid()}-", dir=home))
        try:
            taken.revision = courtyard.snapshot(aside / STATE)
            pods, volumes, taken.objects = objects_of(aside / STATE)
            groups = contents.groups(pods, home, contents.named_volumes(home), volumes)
            taken.outside = tuple(contents.outside(pods, home, volumes))
            for group in groups:
                copy(courtyard, home, aside, group, taken, pause=pause, say=say)
            taken.volumes = tuple(f for group in groups for f in group.folders if (aside / f).is_dir())
            write(home, name, aside, file, taken)
        finally:
            with suppress(OSError):
                remove(aside)
    taken.size_bytes, taken.seconds = file.stat().st_size, time.monotonic() - begun
    return taken


def copy(
    courtyard: House, home: Path, aside: Path, group: contents.Group, taken: Taken, *, pause: bool, say: Say
) -> None:
    mirrors = [Mirror(home / folder, aside / folder) for folder in group.folders]
    for mirror in mirrors:
        mirror.update()
    if not group.uids or not pause:
        return
    with courtyard.pause(group.uids) as paused:
        mapped = written_maps(pid for pid, _ in paused.processes)
        for mirror in mirrors:
            mirror.update(mapped)
    if paused.processes:
        taken.pauses.append(Pause(group.pods, paused.seconds))
        say(f"{', '.join(group.pods)}: stood still for {paused.seconds * 1000:.0f} ms")


def write(home: Path, name: str, aside: Path, file: Path, taken: Taken) -> None:
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    manifest = Manifest(name, str(home), __version__, at, taken.revision, taken.volumes, taken.outside)
    with archive(file, manifest) as made:
        made.tree(aside / STATE, STATE)
        for part in OWN:
            made.tree(home / part, part)
        for folder in taken.volumes:
            made.tree(aside / folder, folder)


def objects_of(state: Path) -> tuple[Sequence[Obj], Sequence[Obj], int]:
    """The Pods and the PersistentVolumes of a copy, and how many objects it has."""
    journal = SqliteJournal(state)
    try:
        found: dict[str, list[Obj]] = {"pods": [], VOLUMES: []}
        count = 0
        for row in journal.load().rows:
            count += 1
            if row.key.kind in found and row.data is not None:
                found[row.key.kind].append(orjson.loads(row.data))
        return found["pods"], found[VOLUMES], count
    finally:
        journal.close()


def sweep(home: Path) -> None:
    """Copies of a backup that was killed."""
    for left in home.glob(f"{ASIDE}*"):
        pid = left.name.removeprefix(ASIDE).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                remove(left)
