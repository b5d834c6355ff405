"""Real courtyards for tests: each has a name and a home of its own, and must leave the machine as it found it."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import madang

NUMBERS = itertools.count(1)


@dataclass
class Court:
    """The command line, as a user has it. `run` refuses to hide a failure unless told to."""

    name: str
    root: Path

    @property
    def home(self) -> Path:
        return self.root / self.name

    @property
    def neighbours(self) -> list[str]:
        """What lies in the state folder, itself too, but not what all courtyards share."""
        return sorted(p.name for p in self.root.iterdir() if p.name not in (".images", ".build"))

    @property
    def env(self) -> dict[str, str]:
        source = str(Path(madang.__file__).resolve().parents[1])  # a relative PYTHONPATH wouldn't survive a `cwd`
        path = os.pathsep.join(p for p in (source, os.environ.get("PYTHONPATH")) if p)
        return {
            **os.environ,
            "PYTHONPATH": path,
            "MADANG_HOME": str(self.root),
            "MADANG_NAME": self.name,
            "NO_COLOR": "1",
        }

    def run(
        self, *words: str, ok: bool = True, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "madang.cli", *words],
            env=self.env, cwd=cwd, capture_output=True, text=True, timeout=110, input=stdin, check=False,
        )  # fmt: skip
        if ok and done.returncode:
            raise AssertionError(
                f"madang {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.log()}"
            )
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--output", "json").stdout)

    def kubectl(self, *words: str, ok: bool = True, stdin: str = "") -> str:
        done = self.run("kubectl", *words, ok=ok, stdin=stdin)
        return done.stdout if ok else done.stdout + done.stderr

    def log(self) -> str:
        path = self.home / "logs" / "madang.log"
        return "".join(path.read_text().splitlines(keepends=True)[-40:]) if path.exists() else ""


@contextmanager
def courtyard(root: Path) -> Iterator[Court]:
    """Not started; taken down and looked after whatever happens."""
    made = Court(f"e{os.getpid() % 100000}-{next(NUMBERS)}", root)
    try:
        yield made
    finally:
        made.run("down", "--purge")
    assert not made.home.exists()
    assert mine(made.home) == [], "processes were left behind"


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the test's name: the path of a unix socket has a hundred bytes at most, and below here are several."""
    return tmp_path_factory.mktemp("t")


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    with courtyard(tmp_path / "m") as made:
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB, in which the fixture `court` then lives."""
    place = tmp_path / "m"
    place.mkdir()
    if os.getuid() or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)], capture_output=True, check=False
    ).returncode:  # fmt: skip
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(scope="module")
def shared_court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """One for all tests of a file, started and empty."""
    root = tmp_path_factory.mktemp("court")
    with courtyard(root / "m") as made:
        made.run("up", "--detach", cwd=root)
        yield made


def mine(home: Path) -> list[str]:
    """Command lines of living processes that name this home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if str(home) in words:
                found.append(words)
    return found
