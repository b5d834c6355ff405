"""Courtyards side by side: started at once, by one user and by another; what a dead one left, and what strangers hold.

Each has two instances behind a published port, so that addresses, names and the way in are really used.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from madang.node.networks import claims
from tests.e2e.apps import get, write_app
from tests.e2e.conftest import Court, courtyard
from tests.e2e.test_unprivileged import Person, dress, own
from tests.e2e.traces import control, id_of, keeper, kill, naming, serving, started, traces
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
SERVICES = """
front: {{build: ./program, ports: ["{port}:8000"], depends_on: [back]}}
back: {{build: ./program, deploy: {{replicas: 2}}}}
"""


@dataclass
class Yard:
    """A courtyard with its application."""

    court: Court
    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        write_app(self.folder, SERVICES.format(port=self.port))
        if isinstance(self.court, Person):
            own(self.folder)

    @property
    def home(self) -> Path:
        return self.court.home

    def start(self, *words: str) -> "subprocess.Popen[str]":
        before = self.court.before if isinstance(self.court, Person) else ()
        python = self.court.python if isinstance(self.court, Person) else sys.executable
        return subprocess.Popen(
            [*before, python, "-m", "madang.cli", "up", "--detach", *words],
            env=self.court.env, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def up(self, *words: str) -> None:
        done = self.start(*words)
        ended(done)

    def claim(self) -> claims.Kept:
        (kept,) = [kept for kept in claims.kept_claims() if kept.home == str(self.home)]
        return kept

    def serves(self) -> bool:
        return get(self.port) == "version 1"


def ended(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=110)
    assert process.returncode == 0, said
    return said


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture
def three(stack: ExitStack, tmp_path: Path) -> list[Yard]:
    """Two of whoever runs the tests, one of somebody else (the same user where we are an ordinary one)."""
    root = Path(tempfile.mkdtemp(prefix="madang-", dir="/tmp"))
    stack.callback(shutil.rmtree, root)
    other = dress("ordinary user", root)
    stack.callback(other.run, "down", "--purge")
    mine = [stack.enter_context(courtyard(tmp_path / f"m{n}")) for n in range(2)]
    courts = [*mine, other]
    return [Yard(court, (root if court is other else tmp_path) / f"app{n}") for n, court in enumerate(courts)]


def disjoint(yards: list[Yard]) -> None:
    """Nothing of one is also another's."""
    kept = [yard.claim() for yard in yards]
    assert len({one.id for one in kept}) == len(kept)
    for i, one in enumerate(kept):
        for other in kept[i + 1 :]:
            for mine in nets(one):
                assert not any(mine.overlaps(theirs) for theirs in nets(other)), (one, other)
            if one.addresses.port_count and other.addresses.port_count:
                assert one.addresses.port_base != other.addresses.port_base
    told = [status(yard)["addresses"] for yard in yards]
    for name in ("api", "gateway", "dashboard"):
        assert len({addresses[name] for addresses in told}) == len(yards), (name, told)


def nets(kept: claims.Kept) -> list[IPv4Network]:
    return [IPv4Network(kept.addresses.pod_cidr), IPv4Network(kept.addresses.service_cidr)]


def status(yard: Yard) -> Any:
    return yard.court.json("status")


def test_three_started_at_once_share_nothing_and_outlive_each_other(three: list[Yard]) -> None:
    for starting in [yard.start() for yard in three]:
        ended(starting)
    disjoint(three)
    assert all(yard.serves() for yard in three)
    first, *rest = three
    id, running = id_of(first.home), [started(yard.home) for yard in rest]
    first.court.run("down")
    assert traces(id, first.home) == []
    assert [started(yard.home) for yard in rest] == running and all(yard.serves() for yard in rest)
    for _ in range(2):  # going and coming of one is nothing to the others
        coming = first.start()
        while coming.poll() is None:
            assert all(yard.serves() for yard in rest)
        ended(coming)
        first.court.run("down")
    assert [started(yard.home) for yard in rest] == running and all(yard.serves() for yard in rest)


def kill_everything(home: Path) -> None:
    """Control, monitors, programs, keeper, HAProxy, zygotes: whatever names this home or was started there, also what
    one of them has just started in another's place."""
    end = monotonic() + 30
    while found := {pid for pid, _ in naming(str(home))} | {pid for pid, _ in started(home)}:
        assert monotonic() < end, naming(str(home))
        for pid in found:
            kill(pid)
        sleep(0.05)


@pytest.mark.parametrize("at", [0, 2], ids=["the same user's", "an ordinary user's"])
def test_what_a_dead_one_left_is_swept_by_the_next_start_of_a_neighbour(three: list[Yard], at: int) -> None:
    dead = three[at]
    dead.up()
    id = id_of(dead.home)
    kill_everything(dead.home)
    assert any("claim" in left for left in traces(id, dead.home))
    court = dead.court
    neighbour = three[1]
    if isinstance(court, Person):  # another of the same person
        other = Person(f"n{court.name}", court.root, court.before, court.python, court.path)
        neighbour = Yard(other, court.root / "neighbour")
    try:
        neighbour.up()
        left = [trace for trace in traces(id, dead.home) if not trace.startswith("file ")]
        assert left == []  # its own files wait for its own next start
        assert neighbour.serves()
    finally:
        neighbour.court.run("down", "--purge")
    dead.up()
    assert dead.serves()
    dead.court.run("down")
    assert traces(id, dead.home) == []


def test_a_dead_one_comes_back_by_itself(three: list[Yard]) -> None:
    first, second, _ = three
    for starting in (first.start(), second.start()):
        ended(starting)
    before, running = first.claim(), started(second.home)
    kill_everything(first.home)
    first.up()
    assert first.claim().addresses == before.addresses and first.serves()
    disjoint([first, second])
    assert started(second.home) == running and second.serves()


def test_one_whose_control_alone_was_killed_is_left_alone(three: list[Yard]) -> None:
    first, second, _ = three
    first.up()
    kept, running = first.claim(), started(first.home)
    kill(control(first.home))
    second.up()
    assert first.claim() == kept and started(first.home) == running and first.serves()
    disjoint_claims(kept, second.claim())
    for pid, _ in running:  # its programs too: the way in is still kept open
        kill(pid)
    second.court.run("down")
    second.up()
    assert first.claim() == kept and keeper(first.home) and serving(first.home)
    first.up()
    assert first.claim().addresses == kept.addresses and first.serves()


def disjoint_claims(one: claims.Kept, other: claims.Kept) -> None:
    assert not any(mine.overlaps(theirs) for mine in nets(one) for theirs in nets(other))


def test_a_block_that_a_stranger_took_meanwhile_is_not_taken_again(court: Court, tmp_path: Path) -> None:
    yard = Yard(court, tmp_path / "app")
    yard.up("--network", "loopback")
    before = yard.claim()
    court.run("down")
    with closing(socket.create_server((before.addresses.gateway_ip, 0))):
        yard.up("--network", "loopback")
        disjoint_claims(before, yard.claim())
        assert yard.serves()


CLAIM = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from madang.node.networks import claims
home, folders = Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]]
print("up", flush=True)
sys.stdin.readline()
claim = claims.hold(home, "loopback", folders=folders)
print(json.dumps(asdict(claim.kept)), flush=True)
sys.stdin.readline()
claim.release()
"""


def test_two_users_who_claim_at_the_same_moment_never_get_the_same(stack: ExitStack) -> None:
    """In folders that they share, the first of which only root can make: who comes before finds the second alone."""
    root, place = (Path(tempfile.mkdtemp(prefix="madang-", dir="/tmp")) for _ in range(2))
    try:
        other = dress("ordinary user", root)
        (root / "hers").mkdir()
        own(root / "hers")
        place.chmod(0o755)
        roots, anybodys = place / "roots" / "claims", place / "anybodys"
        anybodys.mkdir()
        anybodys.chmod(0o1777)
        kinds = [((), sys.executable, place / "mine"), (other.before, other.python, root / "hers")]
        waiting = []
        for n in range(8):
            before, python, home = kinds[n % 2]
            words = [*before, python, "-c", CLAIM, str(home / str(n)), str(roots), str(anybodys)]
            env = {**other.env, "PYTHONPATH": other.path or os.pathsep.join(sys.path)}
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            process = subprocess.Popen(words, env=env, **pipes)  # type: ignore[call-overload]
            waiting.append(stack.enter_context(process))
        assert lined(waiting) == ["up\n"] * 8
        held = [json.loads(line) for line in lined(waiting)]
        for key in ("pod_cidr", "port_base"):
            assert len({one["addresses"][key] for one in held}) == 8, held
        assert len({one["id"] for one in held}) == 8
        if os.getuid() == 0:
            assert len({one["uid"] for one in held}) == 2
            name = next(one["id"] for one in held if one["uid"] == 0)
            (anybodys / f"{name}.json").touch()  # as if root had claimed where anybody writes
            refused = subprocess.run([*other.before, "rm", "-f", str(anybodys / f"{name}.json")], check=False)
            assert refused.returncode != 0
        assert [process.wait(20) for process in waiting] == [0] * 8
    finally:
        shutil.rmtree(root)
        shutil.rmtree(place)


def lined(processes: "list[subprocess.Popen[str]]") -> list[str]:
    """A line from each, and then one to each, as nearly at once as can be."""
    said = [process.stdout.readline() for process in processes if process.stdout is not None]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
    for process in processes:
        if process.stdin is not None:
            process.stdin.flush()
    return said


def test_one_module_by_three_workers(tmp_path: Path) -> None:
    """As with `pytest -n 3`: each worker has a courtyard of its own, made by the same code at the same moment."""
    module = tmp_path / "test_together.py"
    module.write_text(
        "import pytest\nfrom pathlib import Path\nfrom tests.e2e.conftest import courtyard\n"
        "from tests.e2e.test_neighbours import Yard\n\n\n"
        '@pytest.mark.parametrize("number", range(3))\n'
        "def test_mine_alone(number: int, tmp_path: Path) -> None:\n"
        '    with courtyard(tmp_path / "m") as court:\n'
        '        yard = Yard(court, tmp_path / "app")\n'
        "        yard.up()\n"
        "        assert yard.serves() and yard.claim()\n"
    )
    here = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(here), str(here / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "3", "-p", "no:cacheprovider", "--rootdir", ".", str(module)],
        env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
