"""Configurations on disk: one numbered folder for each worker that was started.

In: `Desired`. Out: folders that hold all that a worker reads. The one in use follows every live change, so that a
worker brought back by the keeper starts from what was true at the last write.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from madang.gateway import configuration
from madang.gateway.desired import Desired
from madang.gateway.tuning import Tuning

SETTLED = "settled"  # in a folder that says just what its worker knows


class Generations:
    """`written` is what the folder in use says."""

    def __init__(self, home: Path, tuning: Tuning) -> None:
        self._home, self._tuning = home, tuning
        self.written: Desired | None = None

    def begin(self, desired: Desired, refused: Collection[str]) -> Path:
        """A new folder with all that a worker needs, or OSError and nothing."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        numbers = [int(p.name) for p in self._home.iterdir() if p.name.isdigit()]
        folder = self._home / str(max(numbers, default=0) + 1)
        folder.mkdir(mode=0o700)
        before = self.written
        try:
            self.write(folder, desired, refused)
        except OSError:
            self.give_up(folder, before)
            raise
        return folder

    def write(self, folder: Path, desired: Desired, refused: Collection[str]) -> None:
        """By rename: whoever reads meanwhile sees the one or the other."""
        for name, text in configuration.files(desired, refused, self._tuning).items():
            new = folder / f"{name}.new"
            new.write_text(text)
            new.rename(folder / name)
        (folder / SETTLED).touch()
        self.written = desired

    def unsettle(self, folder: Path) -> None:
        """Before a worker is told more than its folder says, until that is written: by removing something, which a
        full disk does not hinder."""
        (folder / SETTLED).unlink(missing_ok=True)

    def says(self, folder: Path, desired: Desired, refused: Collection[str]) -> bool:
        """Whether a folder that somebody else wrote says just this, and its worker knows no more; then it is ours."""
        try:
            if not (folder / SETTLED).exists():
                return False
            for name, text in configuration.files(desired, refused, self._tuning).items():
                if (folder / name).read_text() != text:
                    return False
        except (OSError, ValueError):
            return False
        self.written = desired
        return True

    def keep(self, folder: Path) -> None:
        """Forget all others."""
        for other in self._home.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)

    def give_up(self, folder: Path, running: Desired | None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.written = running

    def clear(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        self.written = None
