"""Finding and starting courtyards: where each lives on disk, whether it runs, how it is woken.

In: a name. Out: a `Courtyard`, whose `record` is what the control process wrote when it became ready
(`run/courtyard.json`: pid, start ticks, addresses, abilities). Imports little: `madang up` starts the control
process before it does anything else.
"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.cli import ahead, home
from madang.cli.refusal import Refusal
from madang.ports.locks import held
from madang.ports.process import started_ticks

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
LONGEST_HOME = 107 - len("/run/courtyard.sock")  # a unix socket's path has 107 bytes at most


@dataclass(frozen=True)
class Courtyard:
    name: str
    home: Path
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        return bool(self.record)

    @property
    def socket(self) -> Path:
        return self.home / "run" / "api.sock"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def log(self) -> Path:
        return self.home / "logs" / "madang.log"


def state_root() -> Path:
    return Path(home.root())


def find(name: str) -> Courtyard:
    """The courtyard of that name, running or not, existing or not."""
    if not NAME.fullmatch(name):
        raise Refusal(
            f'--name {name}: expected at most 32 lower-case letters, digits and "-", beginning and ending with one of '
            "the former (it becomes part of bridge and lock names)"
        )
    folder = state_root() / name
    return Courtyard(name, folder, read_record(folder))


def every() -> list[Courtyard]:
    root = state_root()
    return [find(p.name) for p in sorted(root.iterdir()) if NAME.fullmatch(p.name)] if root.is_dir() else []


def running(name: str) -> Courtyard:
    """Like `find`, but refuses where nothing runs, and names what does."""
    court = find(name)
    if court.runs:
        return court
    others = [c.name for c in every() if c.runs]
    hint = f"running now: {', '.join(others)} (choose with --name)" if others else "start it with `madang up`"
    raise Refusal(f"the courtyard {name!r} is not running; {hint}")


def read_record(home: Path) -> dict[str, Any]:
    """What the control process wrote; empty unless that very process (pid and start time) is alive."""
    try:
        record: dict[str, Any] = json.loads((home / "run" / "courtyard.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return record if started_ticks(int(record.get("pid", 0))) == record.get("started_ticks") else {}


def being_started(court: "Courtyard") -> bool:
    """Somebody holds the courtyard's lock without having said so: it starts, or stops."""
    return held(court.home / "run" / "lock")


def left_running(court: "Courtyard") -> bool:
    """Begun without its process: the control was killed, or left, and could not put things away."""
    return any((court.home / "run" / name).exists() for name in ("begun", "courtyard.json"))


def claimed(home: Path) -> int:
    """The lock, for the control process that is about to be started: who comes meanwhile (`down`) finds it taken, and
    waits. -1: somebody has it; the control process will say so itself."""
    from madang.courtyard import record

    try:
        return record.hold(home)
    except record.Taken:
        home.joinpath("logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        return -1


class Waking:
    """A control process that is being started; `ready` waits for its first word."""

    def __init__(self, court: Courtyard, arguments: list[str]) -> None:
        self.court, self._arguments = court, arguments
        long = len(os.fsencode(court.home))
        if long > LONGEST_HOME:
            raise Refusal(
                f"{court.home}: the path has {long} bytes, and at most {LONGEST_HOME} leave room for the sockets below "
                "it: set MADANG_HOME to a shorter folder, or choose a shorter --name"
            )
        try:
            lock = claimed(court.home)
        except OSError as error:
            raise Refusal(
                f"{error.filename}: {error.strerror}: the courtyard's state cannot be kept there; set MADANG_HOME or "
                "XDG_STATE_HOME to a folder that you may write"
            ) from error
        reader, writer = os.pipe()
        self.process = self._started(writer, lock)
        for fd in (writer, lock):
            if fd >= 0:
                os.close(fd)
        self._reader = reader

    def _started(self, ready: int, lock: int) -> "subprocess.Popen[bytes] | ahead.Ahead":
        """The one that has been loading since the command began, where there is one for this courtyard."""
        court = self.court
        words = ["--name", court.name, "--home", str(court.home), *self._arguments]
        passed = [ready] if lock < 0 else [ready, lock]
        with court.log.open("ab") as log:
            begun = ahead.take(court.name, str(court.home))
            if begun is not None and begun.tell(words, [ready, log.fileno(), *passed[1:]]):
                return begun
            return subprocess.Popen(
                [sys.executable, "-m", "madang.courtyard", *words, "--ready-fd", str(ready), "--lock-fd", str(lock)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=passed, cwd="/",
            )  # fmt: skip

    def ready(self) -> Courtyard:
        with os.fdopen(self._reader, "rb") as pipe:
            line = pipe.readline()
        word = json.loads(line) if line.strip() else {}
        if word.get("ready"):
            for note in word.get("notes", ()):
                sys.stderr.write(f"note: {note}\n")
            return find(self.court.name)
        if word.get("running"):  # two `up` at once, or a `down` that is under way
            return after_another(self.court.name, self._arguments)
        code = self.process.wait()
        reason = word.get("error") or f"the control process ended with code {code}:\n{self.last_words()}"
        raise Refusal(f"the courtyard {self.court.name!r} could not start: {reason}\nits log: {self.court.log}")

    def last_words(self) -> str:
        return "\n".join(self.court.log.read_text(errors="replace").splitlines()[-5:])


def wake(court: Courtyard, arguments: list[str]) -> Waking:
    return Waking(court, arguments)


def after_another(name: str, arguments: list[str], seconds: float = 120) -> Courtyard:
    """Somebody holds the courtyard: who starts it has done our work, after who stops it we do it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        court = find(name)
        if court.runs:
            return court
        if not being_started(court):
            return wake(court, arguments).ready()
        time.sleep(0.02)
    raise Refusal(
        f"the courtyard {name!r} is being started or stopped by somebody else and was neither ready nor down after "
        f"{seconds:.0f} s"
    )
