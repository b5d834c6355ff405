"""Where COPY takes files from: the build's folder without what `.dockerignore` leaves out, or the files of a stage.

In: a folder, patterns. Out: what they choose (`Chosen`), and a digest over it. Links are followed inside the folder
alone, whatever they say: nothing outside is ever read.
"""

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from madang.dockerfile.globs import compiled, is_wild
from madang.dockerfile.ignore import Above, Ignore

HOPS = 40


@dataclass(frozen=True, slots=True)
class Chosen:
    """`path` is where it lies (links followed), `name` what it is called there, `below` the folders that --parents
    keeps."""

    path: str
    name: str
    below: str = ""


class Tree:
    """All that lies in `root`. Paths are relative, "" is the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._digests: dict[tuple[str, int, int, int], bytes] = {}

    def look(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(self.root / path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, path: str) -> list[str]:
        return sorted(os.listdir(self.root / path))

    def resolve(self, path: str) -> str:
        """The path without links: an absolute link, or one that climbs, ends at the root at most."""
        todo = [p for p in reversed(path.split("/")) if p]
        done: list[str] = []
        hops = 0
        while todo:
            part = todo.pop()
            if part == ".":
                continue
            if part == "..":
                done = done[:-1]
                continue
            found = self.look("/".join([*done, part]))
            if found is None or not stat.S_ISLNK(found.st_mode):
                done.append(part)
                continue
            hops += 1
            if hops > HOPS:
                raise OSError(40, "Too many levels of symbolic links", path)
            link = os.readlink(self.root / "/".join([*done, part]))
            if link.startswith("/"):
                done = []
            todo += [p for p in reversed(link.split("/")) if p]
        return "/".join(done)

    def walk(self, path: str) -> Iterator[tuple[str, os.stat_result]]:
        """All below a folder, each folder before what it holds; relative to `path`."""
        for name in self.names(path):
            inner = posixpath.join(path, name)
            found = self.look(inner)
            if found is None:
                continue
            yield name, found
            if stat.S_ISDIR(found.st_mode):
                for rest, status in self.walk(inner):
                    yield f"{name}/{rest}", status

    def choose(self, patterns: tuple[str, ...], parents: bool = False) -> list[Chosen]:
        """Raises FileNotFoundError with the pattern: only one that is no glob must choose something."""
        found: list[Chosen] = []
        for pattern in patterns:
            before, pivot, behind = pattern.partition("/./")
            head, tail = (before, behind) if pivot else ("", pattern)
            plain = posixpath.normpath(posixpath.join(head, tail))
            for path in self.matches("" if plain == "." else plain):
                resolved = self.resolve(path)
                if self.look(resolved) is None:
                    raise FileNotFoundError(pattern)
                below = posixpath.relpath(posixpath.dirname(path) or ".", head or ".") if parents else ""
                found.append(Chosen(resolved, posixpath.basename(path), "" if below == "." else below))
        return found

    def matches(self, pattern: str) -> list[str]:
        if not is_wild(pattern):
            if self.look(self.resolve(pattern)) is None:
                raise FileNotFoundError(pattern)
            return [pattern]
        paths = [""]
        for part in pattern.split("/"):
            if not is_wild(part):
                paths = [p for path in paths if self.look(self.resolve(p := posixpath.join(path, part)))]
                continue
            regex = compiled(part)
            paths = [
                posixpath.join(path, name)
                for path in paths
                if (s := self.look(self.resolve(path))) and stat.S_ISDIR(s.st_mode)
                for name in self.names(self.resolve(path))
                if regex.fullmatch(name)
            ]
        return paths

    def digest(self, patterns: tuple[str, ...], parents: bool = False) -> str:
        """Over names, kinds, modes, links and bytes; never over times and owners."""
        whole = hashlib.sha256()
        for one in self.choose(patterns, parents):
            status = self.look(one.path)
            assert status is not None
            whole.update(repr((one.below, one.name, self.described(one.path, status))).encode())
            if stat.S_ISDIR(status.st_mode):
                for path, inner in self.walk(one.path):
                    whole.update(repr((path, self.described(posixpath.join(one.path, path), inner))).encode())
        return whole.hexdigest()

    def described(self, path: str, status: os.stat_result) -> tuple[int, object]:
        if stat.S_ISLNK(status.st_mode):
            return 0, os.readlink(self.root / path)
        if not stat.S_ISREG(status.st_mode):
            return status.st_mode, status.st_rdev
        at = (path, status.st_ino, status.st_mtime_ns, status.st_size)
        if at not in self._digests:
            with open(self.root / path, "rb") as file:
                self._digests[at] = hashlib.file_digest(file, "sha256").digest()
        return status.st_mode, self._digests[at]


class Context(Tree):
    """The build's folder. What is left out is not there; a folder that is left out is there for what is taken back."""

    def __init__(self, root: Path, ignore: Ignore) -> None:
        super().__init__(root)
        self.ignore = ignore
        self._seen: dict[str, os.stat_result] = {}
        self._inside: dict[str, list[str]] = {}
        self._read("", ())

    def look(self, path: str) -> os.stat_result | None:
        return super().look(path) if not path else self._seen.get(path)

    def names(self, path: str) -> list[str]:
        return self._inside.get(path, [])

    def _read(self, path: str, above: Above) -> list[str]:
        kept = []
        with os.scandir(self.root / path) as found:
            entries = sorted(found, key=lambda e: e.name)
        for entry in entries:
            inner = posixpath.join(path, entry.name)
            out, handed = self.ignore.look(inner, above)
            folder = entry.is_dir(follow_symlinks=False)
            held = self._read(inner, handed) if folder and (not out or self.ignore.takes_back) else []
            if not out or held:
                self._seen[inner] = entry.stat(follow_symlinks=False)
                kept.append(entry.name)
        self._inside[path] = kept
        return kept
