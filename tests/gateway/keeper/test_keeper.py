"""The keeper's book of workers, with programs that only wait in HAProxy's place: who serves, who is brought back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.gateway.keeper.door import Door
from madang.gateway.keeper.keeper import Keeper
from madang.gateway.keeper.worker import Worker
from madang.porch.process import started_ticks


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    made = Keeper(str(program), str(tmp_path))
    yield made
    for pid in made.pids():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    for held in made.admins.values():
        held.close()


def begin(keeper: Keeper, name: str) -> Worker:
    folder = Path(keeper.run) / name
    folder.mkdir()
    keeper.start(str(folder), f"{keeper.run}/gateway-{name}.sock", [])
    assert keeper.pending is not None
    return keeper.pending


def serve(keeper: Keeper, name: str) -> Worker:
    worker = begin(keeper, name)
    keeper.confirm(worker.pid)
    assert keeper.current is worker
    return worker


def kill(keeper: Keeper, worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    keeper.reap()


def test_stopping_while_a_dead_worker_waits_for_its_return_ends(keeper: Keeper) -> None:
    kill(keeper, serve(keeper, "1"))
    assert keeper.restart_at is not None
    keeper.stop(5.0)
    assert keeper.pids() == [] and keeper.restart_at is None


def test_a_takeover_while_the_dead_one_waits_for_its_return_is_the_only_one(keeper: Keeper) -> None:
    kill(keeper, serve(keeper, "1"))
    second = begin(keeper, "2")
    keeper.restart()  # its hour has come
    assert keeper.pids() == [second.pid]
    keeper.confirm(second.pid)
    assert keeper.current is second and keeper.restart_at is None and keeper.dead is None


def test_a_takeover_that_fails_brings_the_dead_one_back(keeper: Keeper) -> None:
    first = serve(keeper, "1")
    heard: list[dict[str, object]] = []
    keeper.tell = heard.append
    second = begin(keeper, "2")
    kill(keeper, first)  # by somebody else: the second has not got so far
    assert keeper.restart_at is None
    kill(keeper, second)
    assert [e["event"] for e in heard] == ["exit"]
    assert keeper.restart_at is not None
    keeper.restart()
    assert keeper.current is not None and keeper.current.folder == first.folder


def test_a_program_that_is_gone_for_a_moment_is_tried_again(keeper: Keeper) -> None:
    kill(keeper, serve(keeper, "1"))
    program = Path(keeper.program)
    program.rename(program.with_suffix(".away"))
    keeper.restart()
    assert keeper.current is None and keeper.restart_at is not None
    program.with_suffix(".away").rename(program)
    keeper.restart()
    assert keeper.current is not None and started_ticks(keeper.current.pid)


@pytest.mark.parametrize("line", [b"no json", b"[]", b"{}", b'{"op": "fly"}', b'{"op": "bind"}', b"7"])
def test_a_request_that_is_none_is_refused_and_nothing_ends(keeper: Keeper, line: bytes) -> None:
    door = Door.__new__(Door)
    door.keeper = keeper
    assert door.obey(line)["ok"] is False


def test_a_worker_comes_back_where_it_cannot_be_written_down(keeper: Keeper) -> None:
    """On a full disk, say."""
    first = serve(keeper, "1")
    (Path(keeper.run) / "gateway.json.new").mkdir()
    kill(keeper, first)
    keeper.restart()
    assert keeper.current is not None and keeper.current.pid != first.pid
