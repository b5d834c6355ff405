"""What of the build cache goes: what was not used for longest, until the rest fits.

In: a `Cache` that nobody builds with, and how many bytes may stay; or how full the disk is. Out: bytes freed. Layers
weigh as folder and as archive. What `RUN --mount=type=cache` keeps is measured again only after it was used, so that a
build that does nothing costs nothing.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from madang.node.building import inside
from madang.node.building.cache import LIMIT_BYTES, Cache, alone
from madang.node.building.runner import Unable
from madang.node.images.collection import YOUNG_S, to_free
from madang.node.images.layout import remove


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer with all keys that lead to it, or what a mount keeps. `last_used` in seconds since the epoch."""

    place: Path
    size: int
    last_used: float
    keys: tuple[Path, ...] = ()


def gone(entries: Iterable[Entry], keep_bytes: int, newest: float = float("inf")) -> list[Entry]:
    """Pure: those used last stay, as far as they fit; none used at `newest` or later goes."""
    total, out = 0, []
    for one in sorted(entries, key=lambda e: (-e.last_used, e.place)):
        if (keep_bytes and total + one.size <= keep_bytes) or one.last_used >= newest:
            total += one.size
        else:
            out.append(one)
    return out


def entries(cache: Cache) -> list[Entry]:
    return [*layers(cache), *mounts(cache)]


def layers(cache: Cache) -> list[Entry]:
    """Each with the keys that name it. A key that names none whole is taken away."""
    found: dict[Path, list[tuple[float, Path, int]]] = {}
    for key in (cache.home / "keys").iterdir():
        used = key.stat().st_mtime
        made = cache.find_silently(key.name)
        if made is None:
            key.unlink()
        else:
            found.setdefault(made.folder.parent, []).append((used, key, made.size))
    return [
        Entry(place, 2 * keys[0][2], max(used for used, _, _ in keys), tuple(key for _, key, _ in keys))
        for place, keys in found.items()
    ]


def mounts(cache: Cache) -> list[Entry]:
    return [
        Entry(place, weight(cache, place), place.stat().st_mtime)
        for place in (cache.home / "mounts").iterdir()
        if place.is_dir()
    ]


def weight(cache: Cache, place: Path) -> int:
    """As measured when it was used last."""
    record, used = cache.home / "mounts" / f"{place.name}.weight", place.stat().st_mtime_ns
    with suppress(OSError, ValueError):
        body = json.loads(record.read_bytes())
        if body["used"] == used:
            return int(body["bytes"])
    size = sum(os.lstat(os.path.join(top, name)).st_blocks * 512 for top, _, names in os.walk(place) for name in names)
    with suppress(OSError):
        record.write_text(json.dumps({"used": used, "bytes": size}))
    return size


def prune(cache: Cache, keep_bytes: int, newest: float = float("inf")) -> int:
    """Keys first: what none leads to is not found any more. Nobody builds meanwhile."""
    going = gone(entries(cache), keep_bytes, newest)
    for one in going:
        for key in one.keys:
            key.unlink(missing_ok=True)
    for one in going:
        remove(one.place)
        for beside in one.place.parent.glob(f"{one.place.name}.*"):  # its weight, and the lock of who shares it
            beside.unlink()
    held = {one.place for one in layers(cache)}
    for place in (cache.home / "layers").iterdir():
        if place not in held:
            remove(place)
    return sum(one.size for one in going)


def prune_now(cache: Cache, keep_bytes: int, newest: float = float("inf")) -> int:
    """Raises BlockingIOError while somebody builds."""
    with cache.locked() as fd:
        if not alone(fd):
            raise BlockingIOError(11, "a build is under way", str(cache.home))
        cache.sweep()
        return prune(cache, keep_bytes, newest)


def after_build(cache: Cache, limit_bytes: int = LIMIT_BYTES) -> None:
    """As the last build leaves: no more than the limit, and less on a disk that is too full."""
    freeable = free_bytes(cache.home)
    total = sum(one.size for one in entries(cache)) if freeable else 0
    prune(cache, min(limit_bytes, max(0, total - freeable)) if freeable else limit_bytes)


def make_room(home: Path, now: float | None = None) -> int:
    """Before images go from a full disk, what can be made again goes. `home` is a cache's; nothing where there is none,
    or where somebody builds."""
    wanted = free_bytes(home) if (home / "keys").is_dir() else 0
    if not wanted:
        return 0
    cache = Cache(home)
    total = sum(one.size for one in entries(cache))
    with suppress(BlockingIOError):
        return prune_now(cache, max(0, total - wanted), (time.time() if now is None else now) - YOUNG_S)
    return 0


def free_bytes(place: Path) -> int:
    """How much is to go from its disk (collection.py has the thresholds)."""
    disk = os.statvfs(place)
    total = disk.f_blocks * disk.f_frsize
    return to_free(total - disk.f_bavail * disk.f_frsize, total)


if __name__ == "__main__":  # for who loads images on a full disk
    if os.geteuid() != 0:
        with suppress(Unable):
            inside.enter()
    make_room(Path(sys.argv[1]))
