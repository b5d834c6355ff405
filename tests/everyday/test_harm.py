"""Who is harmed: a program that its monitor's record names, and nobody else."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from madang.everyday.harm import NothingRuns, Victim, kill, program_of
from madang.ports.process import started_ticks

POD: dict[str, Any] = {"metadata": {"name": "web-1", "uid": "u"}}


def told(folder: Path) -> Path:
    folder.mkdir(parents=True)
    record = {"pid": os.getpid(), "startedTicks": started_ticks(os.getpid())}
    (folder / "running.json").write_text(json.dumps(record))
    return folder


def test_what_a_program_wrote_into_its_volume_names_nobody(tmp_path: Path) -> None:
    pod = tmp_path / "pods" / "u"
    told(pod / "volumes" / "data" / "deep")
    assert program_of(tmp_path, POD) is None
    told(pod / "containers" / "c" / "0")
    found = program_of(tmp_path, POD)
    assert found is not None and found.pid == os.getpid()


def test_a_record_that_goes_meanwhile_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "pods" / "u" / "containers" / "c" / "0"
    folder.mkdir(parents=True)
    (folder / "running.json").symlink_to("gone")
    assert program_of(tmp_path, POD) is None


def test_one_that_has_just_ended() -> None:
    with subprocess.Popen(["true"]) as child:
        pass
    with pytest.raises(NothingRuns, match="web-1 has just ended by itself"):
        kill(Victim("web-1", child.pid, 1))
