"""Where a backup's file goes, and what is said where it cannot be made."""

from pathlib import Path

import pytest

from madang.cli.backup import explained, placed
from madang.cli.refusal import Refusal


def test_where_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert placed(tmp_path / "a.tar.gz", "shop") == tmp_path / "a.tar.gz"
    for given in (None, tmp_path):
        found = placed(given, "shop")
        assert found.parent == tmp_path and found.name.startswith("madang-shop-20") and found.name.endswith(".tar.gz")


def test_it_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(Refusal, match="exists already, and a backup is not written over") as refusal:
        placed(tmp_path / "a", "shop")
    assert refusal.value.code == 2
    with pytest.raises(Refusal, match="is no folder"):
        placed(tmp_path / "b" / "c", "shop")


def test_reasons(tmp_path: Path) -> None:
    full = explained(OSError(28, "No space left on device", "/state/x"), tmp_path / "b")
    assert full.startswith("the disk is full: free space on the file system of /state/x")
    assert explained(OSError(13, "Permission denied", "/state/x"), tmp_path) == "/state/x: Permission denied"
    assert explained(OSError("odd"), tmp_path) == "odd"
