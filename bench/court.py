"""A real courtyard for a bench: started by its command line, in a folder and under a name of its own, taken down after.

In: what to bring up. Out: its home, its API (over the unix socket), its processes and what they weigh and use.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.api.remote import RemoteApi

ROOT = Path(__file__).parent.parent
SHOP = ROOT / "examples" / "shop"
TICKS = os.sysconf("SC_CLK_TCK")
IDLE = 0.85  # a round begins when the machine was idle to this share, or after some patience


@dataclass(frozen=True)
class Court:
    name: str
    root: Path
    shop_port: int  # of its own, so that nobody's shop is in the way

    @property
    def home(self) -> Path:
        return self.root / self.name

    @property
    def env(self) -> dict[str, str]:
        path = os.pathsep.join(p for p in (str(ROOT / "src"), os.environ.get("PYTHONPATH")) if p)
        own = {"MADANG_HOME": str(self.root), "MADANG_NAME": self.name, "SHOP_PORT": str(self.shop_port)}
        return {**os.environ, "PYTHONPATH": path, **own}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "madang.cli", *words]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self.command(*words), env=self.env, cwd=self.root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"madang {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def timed(self, *words: str) -> float:
        begin = time.perf_counter()
        self.run(*words)
        return time.perf_counter() - begin

    def status(self) -> Any:
        return json.loads(self.run("status", "--output", "json"))

    def api(self) -> RemoteApi:
        return RemoteApi.over_unix(self.home / "run" / "api.sock", agent="bench")

    def processes(self) -> dict[str, list[int]]:
        """The house's own processes by what they are: the control, HAProxys, keeper, zygote, one monitor a program."""
        control = int(self.status()["pid"])
        found: dict[str, list[int]] = {"control": [control]}
        own = str(self.home).encode()
        for pid in (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != control):
            words, environ = _read(pid, "cmdline"), _read(pid, "environ")
            if own not in words and own not in environ and not _descends(pid, control):
                continue
            if kind := _kind(words, _read(pid, "comm")):
                found.setdefault(kind, []).append(pid)
        return found


def _kind(words: bytes, name: bytes) -> str:
    """Monitors are forks of the zygote, and name themselves."""
    for mark, kind in ((b"madang-zygote", "zygote"), (b"madang-monitor", "monitors")):
        if name.startswith(mark):
            return kind
    return "keeper" if b"madang.gateway.keeper" in words else "HAProxy" if b"haproxy\0" in words else ""


def _descends(pid: int, of: int) -> bool:
    while pid > 1:
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if fields else 0
        if pid == of:
            return True
    return False


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def cpu_s(pid: int) -> float:
    """User and system time of the process itself."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def memory_mb(pid: int) -> tuple[float, float]:
    """RSS and PSS."""
    found = {"Rss": 0.0, "Pss": 0.0}
    for line in _read(pid, "smaps_rollup").decode().splitlines():
        key, _, rest = line.partition(":")
        if key in found:
            found[key] = float(rest.split()[0]) / 1024
    return found["Rss"], found["Pss"]


@contextmanager
def courtyard() -> Iterator[Court]:
    """Not started yet; down and forgotten afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as folder:
        court = Court(f"b{os.getpid() % 100000}", Path(folder), free_port())
        try:
            yield court
        finally:
            court.run("down", "--purge")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def quiet(most_s: float = 3.0) -> float:
    """Waits until the machine has little else to do, or the time is over. The share of it that was idle last."""
    deadline = time.monotonic() + most_s
    while True:
        before = _idle_and_all()
        time.sleep(0.4)
        idle, ticks = (now - then for now, then in zip(_idle_and_all(), before, strict=True))
        if idle / max(ticks, 1) > IDLE or time.monotonic() > deadline:
            return idle / max(ticks, 1)


def _idle_and_all() -> tuple[int, int]:
    numbers = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def load() -> str:
    """What else the machine does, for the notes."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
