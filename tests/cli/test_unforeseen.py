"""No traceback reaches a user: a sentence, and a file with the details where the fault is ours."""

from pathlib import Path

import pytest

from madang.cli.unforeseen import explain
from madang.ports.errors import Conflict, StatusError


def test_a_mistake_of_ours_is_kept_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    try:
        {}["condition"]
    except KeyError as error:
        said = explain(error)
    assert "KeyError: 'condition'" in said and str(tmp_path / "errors.log") in said and "\n" not in said
    assert "Traceback" in (tmp_path / "errors.log").read_text()


def test_what_the_api_refused_is_told_in_its_words() -> None:
    assert explain(ExceptionGroup("x", [Conflict("it was changed")])) != ""
    assert explain(StatusError("storage is full")) == "storage is full"


def test_what_the_machine_refused_names_the_file() -> None:
    assert explain(PermissionError(13, "Permission denied", "/root/x")) == "/root/x: Permission denied"


def test_a_full_disk_is_named_with_the_way_out() -> None:
    assert "/v/x: the disk is full: free space" in explain(OSError(28, "No space left on device", "/v/x"))
