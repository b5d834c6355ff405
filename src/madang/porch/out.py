"""The way out, kept open: one program at a time, started again where it ends, taken over from a porch that was killed.

In: descriptors of the namespaces. Out: whether pods reach addresses outside, by what, or why not.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import time
from contextlib import suppress

from madang.porch import wayout
from madang.porch.process import signal_to, started_ticks
from madang.porch.unix import remove

NAME = "porch.json"
LOG = "porch.log"
FORMAT = 1
AGAIN_S = (0.05, 0.5, 2.0, 10.0)  # one that keeps ending is started again more slowly
LONG_LIFE_S = 5.0


class WayOut:
    def __init__(self, run: str, held: list[int]) -> None:
        self.run, self.held = run, held
        self.ways = [(name, at, make) for name, make in wayout.WAYS if (at := shutil.which(name, path=wayout.PLACES))]
        self.name, self.pid, self.watch = "", 0, -1
        self.began = float("-inf")
        self.deaths = 0
        self.again_at: float | None = None
        self.fault = "" if self.ways else wayout.MISSING

    def open(self) -> None:
        """What an earlier porch began goes on, else the first that is there."""
        if not self.inherit():
            self.start()

    def inherit(self) -> bool:
        try:
            with open(os.path.join(self.run, NAME), encoding="utf-8") as file:
                kept = json.load(file)
            if not kept["pid"] or started_ticks(kept["pid"]) != kept["ticks"]:
                return False
            self.watch = os.pidfd_open(kept["pid"])
            self.name, self.pid, self.began = kept["name"], kept["pid"], float("-inf")
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

    def start(self) -> None:
        self.again_at = None
        if not self.ways:
            return
        self.began = time.monotonic()
        self.name, program, make = self.ways[self.deaths % len(self.ways)]
        paths = [f"/proc/self/fd/{fd}" for fd in self.held[:2]]
        for fd in self.held[:2]:
            os.set_inheritable(fd, True)
        log = os.path.join(self.run, LOG)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            self.pid = os.posix_spawn(
                program,
                make(program, *paths),
                {"PATH": wayout.PLACES},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGTERM],
            )
            self.watch = os.pidfd_open(self.pid)
        except OSError as error:
            self.ended(f"{program}: {error.strerror}")
            return
        finally:
            for fd in self.held[:2]:
                os.set_inheritable(fd, False)
        self.write_down()

    def write_down(self) -> None:
        """On a full disk it goes on unrecorded: who comes back starts another, which finds its device taken."""
        path = os.path.join(self.run, NAME)
        state = {"format": FORMAT, "name": self.name, "pid": self.pid, "ticks": started_ticks(self.pid)}
        try:
            with open(path + ".new", "w", encoding="utf-8") as file:
                json.dump(state, file)
            os.rename(path + ".new", path)
        except OSError:
            pass

    def watched(self) -> list[int]:
        return [self.watch] if self.watch >= 0 else []

    def patience_ms(self) -> int | None:
        return None if self.again_at is None else max(1, int((self.again_at - time.monotonic()) * 1000) + 1)

    def look(self) -> None:
        if self.watch >= 0 and ended(self.watch):
            self.ended(last_line(os.path.join(self.run, LOG)))
        if self.again_at is not None and time.monotonic() >= self.again_at:
            self.start()

    def ended(self, fault: str) -> None:
        if self.watch >= 0:
            os.close(self.watch)
        reap(self.pid)
        # one that an earlier porch began has lived
        self.deaths = 0 if time.monotonic() - self.began > LONG_LIFE_S else self.deaths + 1
        self.fault = f"{self.name} ended: {fault}"
        self.pid, self.watch = 0, -1
        self.again_at = time.monotonic() + AGAIN_S[min(self.deaths, len(AGAIN_S) - 1)]

    def told(self) -> dict[str, object]:
        return {"way_out": self.name if self.pid else "", "why_not": "" if self.pid else self.fault, "way": self.pid}

    def close(self) -> None:
        if self.pid:
            signal_to(self.pid, signal.SIGKILL)
            reap(self.pid)
        remove(os.path.join(self.run, NAME))


def ended(watch: int) -> bool:
    return bool(select.select([watch], [], [], 0)[0])


def reap(pid: int) -> None:
    """Nothing where it was somebody else's child."""
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def last_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip() and "syslog" not in line]
    except OSError:
        lines = []
    return lines[-1] if lines else "it said nothing"
