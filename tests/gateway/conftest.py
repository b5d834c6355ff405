"""Real instances and a real HAProxy under a hand; everything that was started is gone afterwards."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from madang.gateway.desired import Bind, Owner
from madang.gateway.hand import Hand
from madang.gateway.tuning import Tuning
from madang.haproxy import binary
from madang.ports.clock import SystemClock
from tests.free_ports import free_port

TUNING = Tuning()
OWNER = Owner("services", "default", "web")


class Instance:
    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        program = Path(__file__).with_name("instance.py")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", program, name, str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def close_process(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Instance]]:
    with contextlib.ExitStack() as stack:

        def one(name: str, port: int = 0) -> Instance:
            instance = Instance(name, port)
            stack.callback(instance.close)
            return instance

        yield one


@pytest.fixture
def program() -> Path:
    try:
        return binary.find()
    except binary.NoHAProxy as error:
        pytest.skip(str(error))


def bind(port: int = 0, what: str = "port 80") -> Bind:
    return Bind("127.0.0.1", port or free_port(), OWNER, what)


def new_hand(home: Path, program: Path, tuning: Tuning = TUNING) -> Hand:
    return Hand(home, home / "run", program, SystemClock(), tuning)


@contextlib.asynccontextmanager
async def running(home: Path, program: Path, tuning: Tuning = TUNING) -> AsyncIterator[Hand]:
    hand = new_hand(home, program, tuning)
    try:
        yield hand
    finally:
        await hand.stop(0.2)
        assert not children_of(home), "a process of the gateway was left behind"
        left = list((home / "run").iterdir()) if (home / "run").exists() else []
        assert [p.name for p in left if p.name != "gateway.log"] == []


def children_of(home: Path) -> list[int]:
    """Processes whose command line names this folder."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            with contextlib.suppress(OSError):
                if str(home).encode() in Path(f"/proc/{entry}/cmdline").read_bytes():
                    found.append(int(entry))
    return found
