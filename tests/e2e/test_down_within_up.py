"""`madang down` at any moment of an `up`: it waits for the start's end, then stops it, and nothing is left."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.cli import courtyards, down
from madang.cli.courtyards import Courtyard


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Courtyard]:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    found = courtyards.find("within")
    yield found
    down.stop(courtyards.find("within"), 60)


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("purge", [False, True])
def test_it_is_down(court: Courtyard, pause_s: float, purge: bool) -> None:
    waking = courtyards.wake(court, [])
    time.sleep(pause_s)
    assert courtyards.find(court.name).runs or courtyards.being_started(court)
    down.stop(courtyards.find(court.name), 60)
    assert waking.process.wait(30) == 0
    assert not courtyards.left_running(court)
    if purge:
        down.forget(court)
        assert set(os.listdir(court.home.parent)) <= {".images"}  # which all courtyards share
    os.close(waking._reader)


def test_what_is_started_again_is_not_forgotten(court: Courtyard) -> None:
    waking = courtyards.wake(court, [])
    with pytest.raises(down.Refusal, match="is being started again: its state stays"):
        down.forget(court)
    assert waking.ready().runs
    down.stop(courtyards.find(court.name), 60)
    assert waking.process.wait(30) == 0
