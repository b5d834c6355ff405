"""Where one pod's things lie below the courtyard's folder. Paths are computed; only `numbers` looks at the disk."""

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

    def log(self, container: str, number: int) -> Path:
        return self.logs / container / f"{number}.log"

    @cached_property
    def hosts(self) -> Path:
        return self.root / "hosts"
