"""Where a user's images lie: one store for all courtyards of a state folder, so that an image is here once.

In: a courtyard's folder. Out: the store's folder, `.images` beside the courtyards, and that of the build cache. Each
courtyard had a store of its own in former times: what such a one holds is brought over whenever the shared one is
opened, by renames alone. A courtyard that runs keeps what it stands on: its process may be of that time.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from madang.node.images.holders import of_pod
from madang.node.images.layout import REF_NAME, Layout, remove
from madang.node.images.store import Store
from madang.ports.locks import held

log = logging.getLogger(__name__)
OLD = ("index.json", "blobs", "trees", "uses", "work", "lock", "index.lock", "oci-layout")  # the last says it is one


def images(home: Path) -> Path:
    return home.absolute().parent / ".images"


def builds(home: Path) -> Path:
    return home.absolute().parent / ".build"


def opened(home: Path) -> Store:
    """The store of the courtyard at `home`, with what its own one held, and others'. Raises OSError."""
    store = Store(images(home))
    for marker in home.absolute().parent.glob("*/images/oci-layout"):
        court = marker.parents[1]
        if court == home.absolute() or not held(court / "run" / "lock"):
            try:
                bring(marker.parent, store.layout, court.name)
            except OSError as error:
                log.warning("the images in %s could not be brought to %s: %s", marker.parent, store.layout.home, error)
    return store


def bring(old: Path, layout: Layout, court: str) -> None:
    """All that `old` holds, to the shared store. Whoever is cut off here goes on the next time: the index comes after
    what it speaks of, and the folder is a store until nothing is left in it."""
    with _only(old), layout.adding():
        _moved(old / "blobs" / "sha256", layout.blobs)
        _moved(old / "trees", layout.trees)
        for use in (old / "uses").glob("*/*"):
            (layout.uses / use.parent.name).mkdir(exist_ok=True, mode=0o700)
            (layout.uses / use.parent.name / of_pod(use.name, court)).touch()
        with layout.changing() as entries:
            entries += _new(Layout(old).entries(), entries)
        for name in OLD:
            remove(old / name) if (old / name).is_dir() else (old / name).unlink(missing_ok=True)


def _moved(old: Path, new: Path) -> None:
    for path in old.iterdir() if old.is_dir() else ():
        target = new / path.name
        if target.exists():
            remove(path) if path.is_dir() else path.unlink()
        else:
            path.rename(target)


def _new(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A name that means another image in the shared store stays what it is there; the image comes without it."""
    names = {ref for e in ours if (ref := (e.get("annotations") or {}).get(REF_NAME))}
    have = {e["digest"] for e in ours}
    out = []
    for entry in theirs:
        notes = dict(entry.get("annotations") or {})
        if notes.get(REF_NAME) in names:
            del notes[REF_NAME]
        if REF_NAME in notes or entry["digest"] not in have:
            have.add(entry["digest"])
            bare = {k: v for k, v in entry.items() if k != "annotations"}
            out.append({**bare, "annotations": notes} if notes else bare)
    return out


@contextmanager
def _only(old: Path) -> Iterator[None]:
    """One process brings a store over; who comes second finds little left."""
    fd = os.open(old, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
