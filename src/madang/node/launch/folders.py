"""Where one pod's things lie below the courtyard's folder. Paths are computed; few look at the disk."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from madang.ports.objects import Obj


@dataclass(frozen=True)
class Folders:
    home: Path
    pod: Obj

    @cached_property
    def root(self) -> Path:
        return self.home / "pods" / str(self.pod["metadata"]["uid"])

    @cached_property
    def logs(self) -> Path:
        meta = self.pod["metadata"]
        return self.home / "logs" / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"

    def attempts(self, container: str) -> Path:
        return self.root / "containers" / container

    def numbers(self, container: str) -> list[int]:
        """The attempts that have left a folder, in order."""
        folder = self.attempts(container)
        return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.is_dir() else []

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
    def hostname(self) -> Path:
        return self.root / "hostname"
