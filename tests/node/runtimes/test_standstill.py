"""Pods stand still and go on: real processes below a pretended monitor, what they start meanwhile too."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from madang.node.runtimes import standstill
from madang.node.runtimes.monitor import record
from madang.node.runtimes.monitor.limits import stat_fields

PROGRAM = """
import os, subprocess, sys, time
children = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
print(*(child.pid for child in children), flush=True)
children[0].wait()
"""


def states(pids: list[int]) -> list[bytes]:
    return [(stat_fields(pid) or [b"?"])[0] for pid in pids]


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[tuple[Path, list[int]]]:
    """This test is the monitor; the pids are its program's children and the program."""
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    pids = [*map(int, program.stdout.readline().split()), program.pid]
    folder = tmp_path / "pods" / "uid" / "containers" / "main" / "0"
    folder.mkdir(parents=True)
    (tmp_path / "run").mkdir()
    parent = os.getpid()
    body = {"format": 1, "monitorPid": parent, "monitorTicks": record.ticks(parent), "confinement": {"pids": False}}
    (folder / record.RUNNING).write_text(json.dumps(body))
    yield tmp_path, pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    program.communicate()


def test_all_stand_still_and_go_on(pod: tuple[Path, list[int]]) -> None:
    home, pids = pod
    stopped = standstill.stop(home, ["uid"])
    assert {pid for pid, _ in stopped} >= set(pids) and os.getpid() not in dict(stopped)
    assert states(pids) == [b"T"] * 3
    assert json.loads((home / "run" / standstill.NOTE).read_bytes())["pods"] == ["uid"]
    standstill.go_on(home, stopped)
    until_they_move(pids)
    assert not (home / "run" / standstill.NOTE).exists()


def test_who_stood_before_stands_after(pod: tuple[Path, list[int]]) -> None:
    home, pids = pod
    os.kill(pids[0], signal.SIGSTOP)
    while states(pids[:1]) != [b"T"]:
        sleep(0.001)
    stopped = standstill.stop(home, ["uid"])
    assert pids[0] not in dict(stopped)
    standstill.go_on(home, stopped)
    until_they_move(pids[1:])
    assert states(pids[:1]) == [b"T"]


def test_who_comes_after_a_crash_lets_them_go_on(pod: tuple[Path, list[int]]) -> None:
    home, pids = pod
    standstill.stop(home, ["uid"])
    assert standstill.recover(home) == 1
    until_they_move(pids)
    assert standstill.recover(home) == 0
    standstill.stop(home, ["uid"])
    (home / "run" / standstill.NOTE).write_text("{")
    assert standstill.recover(home) == 1
    until_they_move(pids)


def test_one_that_will_not_stop(pod: tuple[Path, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    home, pids = pod
    monkeypatch.setattr(standstill, "STILL_S", 0.0)
    monkeypatch.setattr(standstill, "moves", lambda pid: True)
    with pytest.raises(TimeoutError, match="do not stop"):
        standstill.stop(home, ["uid"])
    until_they_move(pids)


def until_they_move(pids: list[int]) -> None:
    deadline = monotonic() + 10
    while b"T" in states(pids) and monotonic() < deadline:
        sleep(0.001)
    assert b"T" not in states(pids)
