"""Where one pod's things lie below the courtyard's folder. Paths are computed; few look at the disk."""

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from madang.ports.objects import Obj


# A pod's object is another one with each write of its status, and its folders are the same.
@lru_cache(1024)
def _root(home: Path, uid: str) -> Path:
    return home / "pods" / uid


@lru_cache(1024)
def _attempts(root: Path, container: str) -> Path:
    return root / "containers" / container


@lru_cache(1024)
def _logs(home: Path, namespace: str, name: str, uid: str) -> Path:
    return home / "logs" / f"{namespace}_{name}_{uid}"


@dataclass(frozen=True)
class Folders:
    home: Path
    pod: Obj

    @cached_property
    def root(self) -> Path:
        return _root(self.home, self.pod["metadata"]["uid"])

    @cached_property
    def logs(self) -> Path:
        meta = self.pod["metadata"]
        return _logs(self.home, meta["namespace"], meta["name"], meta["uid"])

    def attempts(self, container: str) -> Path:
        return _attempts(self.root, container)

    def numbers(self, container: str) -> list[int]:
        """The attempts that have left a folder, in order."""
        folder = self.attempts(container)
        try:
            return sorted(int(name) for name in os.listdir(folder) if name.isdigit())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def attempt(self, container: str, number: int) -> Path:
        return self.attempts(container) / str(number)

    def termination_log(self, container: str, number: int) -> Path:
        return self.attempts(container) / f"{number}.termination-log"

    def started(self) -> bool:
        """Whether any container has left a folder of a start."""
        return any(True for _ in (self.root / "containers").glob("*/*/"))

    def runtime(self) -> str:
        """The name of the runtime that was chosen; empty where none was."""
        try:
            return (self.root / "runtime").read_text().strip()
        except OSError:
            return ""

    def keep_runtime(self, name: str) -> None:
        """Empty: forget it."""
        if not name:
            (self.root / "runtime").unlink(missing_ok=True)
            return
        self.root.mkdir(parents=True, exist_ok=True)
        new = self.root / ".runtime.new"
        new.write_text(name)
        new.replace(self.root / "runtime")

    def log(self, container: str, number: int) -> Path:
        return self.logs / container / f"{number}.log"

    @cached_property
    def hosts(self) -> Path:
        return self.root / "hosts"

    @cached_property
    def resolver(self) -> Path:
        return self.root / "resolv.conf"

    @cached_property
    def ipc(self) -> Path:
        """By which its containers find each other's IPC namespace."""
        return self.root / "ipc"

    @cached_property
    def hostname(self) -> Path:
        return self.root / "hostname"
