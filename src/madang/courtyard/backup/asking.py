"""The other side of the courtyard's own door (`courtyard.desk`): a command asks, and waits.

In: the courtyard's home. Out: a copy of the state, pods that stand still for the length of a block. Where no control
process runs, the courtyard's lock is held instead, and the state file is read itself.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from madang.courtyard import record
from madang.courtyard.desk import DOOR, write
from madang.node.runtimes import standstill
from madang.store.sqlite import SqliteJournal

ANSWER_S = 120.0


class Unanswered(Exception):
    """The courtyard did not do what it was asked; the message says why."""


class House(Protocol):
    def snapshot(self, path: Path) -> int:
        """The revision of the copy."""
        ...

    def pause(self, uids: Sequence[str]) -> "Paused": ...


class Paused:
    """Stands still inside the block. `processes`: which ones. `seconds`: how long it was, afterwards."""

    def __init__(self, stop: Callable[[], list[standstill.Process]], go_on: Callable[[], object]) -> None:
        self._stop, self._go_on, self._begun = stop, go_on, 0.0
        self.processes: list[standstill.Process] = []
        self.seconds = 0.0

    def __enter__(self) -> "Paused":
        self._begun = time.monotonic()
        self.processes = self._stop()
        return self

    def __exit__(self, *_: object) -> None:
        self._go_on()
        self.seconds = time.monotonic() - self._begun


class Running:
    """A courtyard whose control process answers."""

    def __init__(self, home: Path, door: socket.socket) -> None:
        self.home, self._door = home, door
        self._answers = door.makefile("rb")

    def ask(self, operation: str, **words: Any) -> dict[str, Any]:
        try:
            self._door.sendall(json.dumps({"op": operation, **words}).encode() + b"\n")
            line = self._answers.readline()
        except OSError as error:
            raise Unanswered(f"the courtyard did not answer: {error}") from error
        if not line:
            raise Unanswered("the courtyard's control process has ended meanwhile")
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise Unanswered(answer["text"])
        return answer

    def snapshot(self, path: Path) -> int:
        return int(self.ask("snapshot", path=os.fspath(path))["revision"])

    def pause(self, uids: Sequence[str]) -> Paused:
        stopped: list[standstill.Process] = []

        def stop() -> list[standstill.Process]:
            told = self.ask("pause", pods=list(uids))["processes"]
            stopped.extend((int(pid), int(ticks)) for pid, ticks in told)
            return stopped

        def go_on() -> None:
            try:
                self.ask("resume")
            except Unanswered:  # the control has died meanwhile: nobody else is left to let them go on
                standstill.go_on(self.home, stopped)

        return Paused(stop, go_on)

    def close(self) -> None:
        self._answers.close()
        self._door.close()


class Resting:
    """A courtyard without a control process, held by us. Its programs may run all the same."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def snapshot(self, path: Path) -> int:
        journal = SqliteJournal(self.home / "state.db")
        try:
            loaded = journal.load()
            write(path, loaded)
            return loaded.revision
        finally:
            journal.close()

    def pause(self, uids: Sequence[str]) -> Paused:
        stopped: list[standstill.Process] = []

        def stop() -> list[standstill.Process]:
            stopped.extend(standstill.stop(self.home, uids))
            return stopped

        return Paused(stop, lambda: standstill.go_on(self.home, stopped))


@contextmanager
def house(home: Path, *, runs: bool) -> Iterator[House]:
    if runs:
        with closing(Running(home, connect(home / "run" / DOOR))) as running:
            yield running
        return
    try:
        lock = record.hold(home)
    except record.Taken:
        raise Unanswered("the courtyard is being started or stopped: try again in a moment") from None
    try:
        yield Resting(home)
    finally:
        with suppress(OSError):
            os.close(lock)


def connect(path: Path) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.settimeout(ANSWER_S)
    try:
        door.connect(os.fspath(path))
    except OSError as error:
        door.close()
        raise Unanswered(f"{path}: {error.strerror or error}: was it started by an older Madang?") from error
    return door
