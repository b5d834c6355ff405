"""What lies below a folder into which others write, while they write."""

import os
from pathlib import Path

import pytest

from madang.node.runtimes.monitor import beneath


def test_a_folder_that_another_container_makes_at_the_same_moment_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def second(part: str, *, dir_fd: int) -> None:
        make(part, dir_fd=dir_fd)
        make(part, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", second)
    fd = beneath.opened(str(tmp_path), "a", make=True)
    try:
        assert os.fstat(fd).st_ino == (tmp_path / "a").stat().st_ino
    finally:
        os.close(fd)
