"""One control process a courtyard."""

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest

from madang.courtyard import record


def test_only_one_holds_it(tmp_path: Path) -> None:
    fd = record.hold(tmp_path / "home")
    with pytest.raises(record.Taken):
        record.hold(tmp_path / "home")
    os.close(fd)
    os.close(record.hold(tmp_path / "home"))
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_the_record_names_this_process(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    record.write(tmp_path, {"name": "x"})
    found = json.loads((tmp_path / "run" / "courtyard.json").read_text())
    assert found["pid"] == os.getpid() and found["started_ticks"] == record.started_ticks(os.getpid())
    record.remove(tmp_path, over=True)
    record.remove(tmp_path, over=True)


def test_nobody_listens_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    record.tell(writer, ready=True)
    record.tell(-1, ready=True)


def test_a_lock_that_was_forgotten_meanwhile_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making the lock's file and holding it, somebody removes the state."""
    home, real, forgot = tmp_path / "home", fcntl.flock, []

    def flock(fd: int, how: int) -> None:
        if not forgot:
            forgot.append(shutil.rmtree(home))
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    fd = record.hold(home)
    assert forgot and os.fstat(fd).st_ino == (home / "run" / "lock").stat().st_ino
    os.close(fd)


def test_a_lock_may_be_given(tmp_path: Path) -> None:
    fd = record.hold(tmp_path)
    os.set_inheritable(fd, True)
    assert record.hold(tmp_path, fd) == fd
    assert not os.get_inheritable(fd)  # what is started later must not hold it
    os.close(fd)
