"""Finding courtyards: only a living control process counts."""

import json
import os
from pathlib import Path

import pytest

from madang.cli import courtyards
from madang.cli.refusal import Refusal


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    return tmp_path


def record(root: Path, name: str, pid: int, ticks: int | None) -> None:
    run = root / name / "run"
    run.mkdir(parents=True)
    (run / "courtyard.json").write_text(json.dumps({"pid": pid, "started_ticks": ticks}))


def test_a_reused_pid_is_not_a_courtyard(root: Path) -> None:
    record(root, "dead", os.getpid(), 1)
    assert not courtyards.find("dead").runs


def test_running_names_the_others(root: Path) -> None:
    record(root, "alive", os.getpid(), courtyards.started_ticks(os.getpid()))
    assert courtyards.running("alive").runs
    with pytest.raises(Refusal, match="running now: alive"):
        courtyards.running("other")


def test_a_path_that_leaves_no_room_for_sockets_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = root / ("h" * 90)
    monkeypatch.setenv("MADANG_HOME", str(long))
    with pytest.raises(Refusal, match=r"at most 88 leave room .* set MADANG_HOME to a shorter folder"):
        courtyards.wake(courtyards.find("a"), [])
    assert not long.exists()


def test_a_name_becomes_part_of_device_names(root: Path) -> None:
    with pytest.raises(Refusal, match="lower-case"):
        courtyards.find("../evil")
