"""The source folder of a `build:` as a fingerprint, so that a changed file changes what runs, and nothing else does.

In: a folder. Out: a short hash over the names and contents of its files, less what `.dockerignore` names and what
tools leave behind; databases and logs that a program keeps beside its source do not count either. A file over 1 MiB
counts by size and time of change; a pipe, a socket or a device by its name.
"""

import fnmatch
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

NEVER = {".git", ".hg", "node_modules", "__pycache__", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
LEFT_BEHIND = (".pyc", ".swp", "~", ".log", ".pid", ".sock")
DATABASES = tuple(
    f"{name}{rest}" for name in (".db", ".sqlite", ".sqlite3") for rest in ("", "-wal", "-shm", "-journal")
)
LARGE_BYTES = 1024 * 1024
MOST_FILES = 20_000


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for number, path in enumerate(files(folder)):
        if number >= MOST_FILES:
            break
        name = path.relative_to(folder).as_posix()
        try:
            content = counted(path, path.stat())
        except OSError:  # gone while we looked, or unreadable: its name still counts
            content = b""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def counted(path: Path, about: os.stat_result) -> bytes:
    """Never read what may never end: a pipe, a device, or a file that the kernel makes as it is read (of size 0)."""
    if not stat.S_ISREG(about.st_mode) or not about.st_size:
        return b""
    return path.read_bytes() if about.st_size <= LARGE_BYTES else b"%d" % about.st_mtime_ns


def files(folder: Path) -> Iterator[Path]:
    """Every file that counts, in order of names."""
    rules = ignored(folder)
    for top, folders, names in os.walk(folder):
        here = Path(top)
        folders[:] = sorted(f for f in folders if f not in NEVER and not matches(here / f, folder, rules))
        for name in sorted(names):
            if not name.endswith((*LEFT_BEHIND, *DATABASES)) and not matches(here / name, folder, rules):
                yield here / name


def ignored(folder: Path) -> list[tuple[bool, str]]:
    """(include again, pattern) of each line, in order: the last that matches decides."""
    try:
        lines = (folder / ".dockerignore").read_text().splitlines()
    except OSError:
        return []
    rules = []
    for line in lines:
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            again = pattern.startswith("!")
            rules.append((again, pattern.lstrip("!").strip("/")))
    return rules


def matches(path: Path, folder: Path, rules: list[tuple[bool, str]]) -> bool:
    name = path.relative_to(folder).as_posix()
    out = False
    for again, pattern in rules:
        plain = pattern.removeprefix("**/")
        if fnmatch.fnmatch(name, pattern) or (plain != pattern and fnmatch.fnmatch(path.name, plain)):
            out = not again
    return out
