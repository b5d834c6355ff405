"""A real porch: namespaces made, sockets opened outside, either process brought back by the other, nothing left."""

import functools
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from madang.courtyard import entering
from madang.porch import out, standing
from madang.porch.process import started_ticks


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "run"
    folder.mkdir()
    try:
        entering.start(folder)
    except OSError as error:
        pytest.skip(f"no user namespace can be made here: {error.strerror}")
    yield folder
    entering.stop(folder)
    until(lambda: not processes(folder), "the porch goes")
    assert list(folder.iterdir()) == [] or [p.name for p in folder.iterdir()] == ["begun"]


def processes(run: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if b"madang.porch.house" in line and os.fsencode(run) in line and started_ticks(int(entry.name)):
            found.append(int(entry.name))
    return found


def until(holds: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def ask(run: Path, op: str, **more: object) -> tuple[dict[str, Any], list[int]]:
    return standing.ask(os.fspath(run), {"op": op, **more})


def another(run: Path, front: int) -> bool:
    return bool(ask(run, "status")[0]["pid"] != front)


def another_back(run: Path, gone: int) -> bool:
    there = processes(run)
    return len(there) == 2 and gone not in there


def listen(run: Path, host: str, port: int) -> socket.socket:
    _, fds = ask(run, "listen", host=host, port=port, backlog=5, reuse_port=False)
    return socket.socket(fileno=fds[0])


def identities(run: Path) -> list[int]:
    _, fds = ask(run, "namespaces")
    found = [os.fstat(fd).st_ino for fd in fds]
    for fd in fds:
        os.close(fd)
    return found


def test_namespaces_of_its_own(run: Path) -> None:
    own = [os.stat(f"/proc/self/ns/{name}").st_ino for name in ("user", "net", "mnt")]
    assert len(identities(run)) == 3 and not set(own) & set(identities(run))


def test_a_socket_is_opened_outside_and_handed_in(run: Path) -> None:
    with listen(run, "127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            held.accept()[0].close()
        with pytest.raises(OSError) as refused:
            listen(run, "127.0.0.1", port)
        assert refused.value.errno == 98, "who has the port is known by the number that opening it here would give"
    with listen(run, "127.0.0.1", port):
        pass


def test_what_is_no_request_is_refused_and_ends_nothing(run: Path) -> None:
    for request in ({"op": "dance"}, {}, {"op": "listen"}):
        with pytest.raises(OSError, match=r"no such request|KeyError"):
            standing.ask(os.fspath(run), request)
    assert ask(run, "status")[0]["format"] == 1


def test_nobody_is_left_when_stop_returns(run: Path) -> None:
    until(lambda: len(processes(run)) == 2, "front and back")
    entering.stop(run)
    assert processes(run) == []


def test_either_is_brought_back_with_the_same_namespaces(run: Path) -> None:
    before = identities(run)
    for _ in range(2):
        front = ask(run, "status")[0]["pid"]
        os.kill(front, signal.SIGKILL)
        until(functools.partial(another, run, front), "another front")
        assert identities(run) == before
        back = next(pid for pid in processes(run) if pid != ask(run, "status")[0]["pid"])
        os.kill(back, signal.SIGKILL)
        until(functools.partial(another_back, run, back), "another back")
        assert identities(run) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root has no way out of namespaces of its own: pasta becomes nobody")
def test_the_way_out_outlives_the_porch_and_is_started_again(run: Path) -> None:
    told = ask(run, "status")[0]
    if not told["way_out"]:
        pytest.skip(f"no way out here: {told['why_not']}")
    os.kill(told["pid"], signal.SIGKILL)
    assert ask(run, "status")[0]["way"] == told["way"], "it is taken over"
    os.kill(told["way"], signal.SIGKILL)
    until(lambda: ask(run, "status")[0]["way"] not in (0, told["way"]), "another way out")
    again = json.loads((run / out.NAME).read_text())
    assert again["pid"] == ask(run, "status")[0]["way"]


def test_both_killed_and_somebody_lives_inside(run: Path) -> None:
    before = identities(run)
    _, fds = ask(run, "namespaces")
    inhabitant = subprocess.Popen(["sleep", "1000"], preexec_fn=lambda: entering.come_in(run, fds))  # noqa: PLW1509
    for fd in fds:
        os.close(fd)
    try:
        for pid in processes(run):
            os.kill(pid, signal.SIGSTOP)  # or one would bring the other back
        for pid in processes(run):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not processes(run), "both are gone")
        with pytest.raises(ConnectionRefusedError, match="the porch does not answer"):
            standing.ask(os.fspath(run), {"op": "status"}, patience_s=0)
        entering.start(run, inhabitant.pid)
        assert identities(run) == before
    finally:
        inhabitant.kill()
        inhabitant.wait()


def test_where_we_stand_is_told_to_who_we_start() -> None:
    assert standing.words() == [] and not standing.inside() and standing.user() == os.geteuid()
    standing.believe(["/x/run", "1000", "100"])
    try:
        assert standing.words() == ["/x/run", "1000", "100"]
        assert standing.inside() and not standing.root() and (standing.user(), standing.group()) == (1000, 100)
        assert standing.folder() == "/x/run/inside"
    finally:
        standing.come_out()
    assert not standing.inside()


def test_says_who_listens_outside(run: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        answer, _ = ask(run, "listening", port=port)
        assert answer["held"] == [["127.0.0.1", port, os.getpid()]]
