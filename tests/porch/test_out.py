"""The way out kept open: taken over, tried again, its absence told."""

import os
import time
from pathlib import Path

import pytest

from madang.porch import wayout
from madang.porch.out import NAME, WayOut


def settle(out: WayOut) -> None:
    deadline = time.monotonic() + 10
    while out.pid:
        out.look()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def held(tmp_path: Path) -> list[int]:
    return [os.open("/dev/null", os.O_RDONLY), os.open("/dev/null", os.O_RDONLY)]


def test_its_absence_is_told(tmp_path: Path, held: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wayout, "PLACES", str(tmp_path))
    out = WayOut(str(tmp_path), held)
    out.open()
    assert out.told() == {"way_out": "", "why_not": wayout.MISSING, "way": 0}
    assert out.patience_ms() is None and out.watched() == [], "nothing to wait for"
    out.close()


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_one_that_ends_gives_way_to_the_next(tmp_path: Path, held: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "pasta", "echo no template interface; exit 1")
    program(tmp_path, "slirp4netns", "exec /bin/sleep 1000")
    monkeypatch.setattr(wayout, "PLACES", str(tmp_path))
    out = WayOut(str(tmp_path), held)
    out.open()
    settle(out)
    assert out.told()["why_not"] == "pasta ended: no template interface" and out.patience_ms()
    out.again_at = 0.0
    out.look()
    told = out.told()
    assert told["way_out"] == "slirp4netns"
    another = WayOut(str(tmp_path), held)
    another.open()
    assert another.told() == told, "who comes after a porch that was killed starts no second one"
    out.close()
    settle(another)
    assert not (tmp_path / NAME).exists()
    another.close()
