"""What `madang up` refuses before anything is started."""

from pathlib import Path

import pytest

from madang.cli.courtyards import find
from madang.cli.refusal import Refusal
from madang.cli.up import read


def test_variables_for_no_application_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert read([], [], [], [], find("default"), False) is None
    with pytest.raises(Refusal, match="--env-file nope: there is no application in "):
        read([], [], [], [Path("nope")], find("default"), False)
