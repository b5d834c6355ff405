"""Which shop the tour walks through, how it was found, and what puts it back.

In: the courtyard that was chosen, or none (then one of the tour's own, gone at the end). Out: a running shop. Before a
step changes something it leaves a *promise*: the command that undoes it, which works whether or not the change was
made. What has not been kept when the tour ends, however it ends, is kept then; and since a tour can be killed, the
promises stand in a note on disk, which the next tour of that courtyard reads first.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from madang.cli import courtyards
from madang.cli.courtyards import Courtyard
from madang.cli.house import remote
from madang.cli.refusal import Refusal
from madang.ports.errors import NotFound
from madang.ports.objects import Obj
from madang.ports.process import started_ticks

OWN = "tour"
SHOP = "examples/shop"
PROJECT = "shop"
SERVICES = frozenset({"web", "catalog", "cart", "orders", "payments"})
USUAL_PORT = 8080
PATIENCE_S = 150.0


@dataclass(frozen=True)
class Promise:
    """A `madang` command that puts something back. `name`: in which courtyard."""

    name: str
    words: tuple[str, ...]


@dataclass
class Ground:
    name: str
    own: bool  # of the tour's own making; else chosen by the user
    found_shop: bool = False
    promises: list[Promise] = field(default_factory=list)

    @cached_property
    def folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory("-madang")

    @property
    def court(self) -> Courtyard:
        return courtyards.running(self.name)

    @property
    def nowhere(self) -> Path:
        """An empty folder: `madang up` there finds no application and goes on with what it has."""
        found = self.place("nowhere")
        found.mkdir(exist_ok=True)
        return found

    def place(self, file: str) -> Path:
        """A file of the tour's own, gone with it."""
        return Path(self.folder.name) / file

    def promise(self, *words: str, name: str = "") -> Promise:
        made = Promise(name or self.name, words)
        self.promises.append(made)
        self.write()
        return made

    def kept(self, promise: Promise) -> None:
        """It has been done already, as a part of a step."""
        self.promises.remove(promise)
        self.write()

    @property
    def note(self) -> Path:
        return courtyards.state_root() / f"tour-{self.name}.json"

    def write(self) -> None:
        """Whose promises these are, and what they are."""
        pid = os.getpid()
        rows = [[p.name, *p.words] for p in self.promises]
        self.note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.note.with_name(f".{self.note.name}.new")  # who is killed here has still promised all of before
        new.write_text(json.dumps({"pid": pid, "ticks": started_ticks(pid), "promises": rows}))
        new.replace(self.note)

    def read(self) -> None:
        """What a tour that was killed has left to do; one that is under way is not disturbed."""
        try:
            told = json.loads(self.note.read_bytes())
        except (OSError, ValueError):
            return
        if started_ticks(told["pid"]) == told["ticks"]:
            raise Refusal(f"another tour goes through the courtyard {self.name!r} (pid {told['pid']}); choose a --name")
        self.promises = [Promise(name, tuple(words)) for name, *words in told["promises"]]
        if broken := self.keep_all():
            raise Refusal(f"an earlier tour was killed, and this could not be put back: {'; '.join(broken)}")

    def keep(self, promise: Promise) -> bool:
        try:
            return command(promise.name, promise.words, cwd=self.nowhere).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def look(self) -> None:
        """What is there, before anything is touched; a courtyard that rests is woken as it is."""
        self.read()
        court = courtyards.find(self.name)
        if not court.home.exists():
            return
        if not court.runs:
            self.promise("down")
            done = command(self.name, ["up", "--detach"], cwd=self.nowhere)
            if done.returncode:
                raise Refusal(f"the courtyard {self.name!r} could not be started: {last_line(done)}")
        self.found_shop = asyncio.run(has_shop(self.court))

    def put_back(self) -> list[str]:
        """Keeps every promise, whatever strikes meanwhile; what could not be kept, as commands."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, undisturbed) for number in numbers}
        try:
            broken = self.keep_all()
            self.folder.cleanup()
            return broken
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def keep_all(self) -> list[str]:
        """The last promise first."""
        broken = []
        while self.promises:
            promise = self.promises[-1]
            if not self.keep(promise):
                broken.append(f"MADANG_NAME={promise.name} madang {' '.join(promise.words)}")
            self.kept(promise)
        self.note.unlink(missing_ok=True)
        return broken


def undisturbed(*_: object) -> None:
    """Takes a signal and does nothing; unlike SIG_IGN, programs that are started meanwhile do not inherit it."""


async def has_shop(court: Courtyard) -> bool:
    """Whether the whole shop is there and ready; one that is there without being ready is refused."""
    async with remote(court) as api:
        try:
            await api.get("namespaces", "", PROJECT)
        except NotFound:
            return False
        found = {e.key.name: e.obj for e in (await api.list("deployments.apps", PROJECT)).entries}
    if missing := sorted(SERVICES - set(found)):
        raise Refusal(
            f"the courtyard {court.name!r} has a project {PROJECT!r} without {', '.join(missing)}: it is not the shop "
            "of the examples; say `madang tour` without a --name, and it makes a courtyard of its own"
        )
    if late := sorted(name for name in SERVICES if not is_well(found[name])):
        raise Refusal(
            f"the shop in the courtyard {court.name!r} is not ready: {', '.join(late)}; start it with "
            f"`madang up {SHOP}`, or say `madang tour` without a --name"
        )
    return True


def is_well(deployment: Obj) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    return bool(wanted > 0 and (deployment.get("status") or {}).get("readyReplicas", 0) >= wanted)


def environment(name: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A command's: this very Madang, in that courtyard."""
    path = os.environ.get("PYTHONPATH")  # a relative one would not survive another working folder
    absolute = {"PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in path.split(os.pathsep) if p)} if path else {}
    return {**os.environ, **absolute, "MADANG_NAME": name, **(more or {})}


def command(name: str, words: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command that nobody looks at, in a session of its own: a Ctrl-C of the terminal does not reach it."""
    return subprocess.run(
        [sys.executable, "-m", "madang.cli", *words],
        env=environment(name), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_S, start_new_session=True, check=False,
    )  # fmt: skip


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return ((done.stderr or done.stdout).strip().splitlines() or ["no word"])[-1]


def free_port() -> str:
    """For the shop's page; empty where the usual one is free, or the one of SHOP_PORT (a demo may still have it)."""
    named = os.environ.get("SHOP_PORT", "")
    usual = int(named) if named.isdigit() else USUAL_PORT
    for port in (usual, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as held:
                found = int(held.getsockname()[1])
                return "" if found == usual else str(found)
        except (OSError, OverflowError):
            continue
    return ""


def another(name: str) -> str:
    """A courtyard that does not exist yet, named after this one."""
    number = 1
    while courtyards.find(found := f"{name[:24]}-nodes{number if number > 1 else ''}").home.exists():
        number += 1
    return found
