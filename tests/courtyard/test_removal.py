"""What programs leave in their volumes can be removed, whoever we are."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.courtyard.removal import remove

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that an ordinary user reaches, too."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def cache(top: Path) -> None:
    """As programs make it that keep what they have fetched from being changed."""
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").touch(mode=0o400)
    for closed in (top / "a" / "b", top / "a"):
        closed.chmod(0o500)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_folders_that_are_closed_to_their_owner(place: Path) -> None:
    os.chown(place, NOBODY, NOBODY)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            cache(place / "x")
            remove(place / "x")
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0 and not (place / "x").exists()


def test_a_link_goes_and_not_what_it_leads_to(tmp_path: Path) -> None:
    cache(tmp_path / "kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    for name in ("link", "nothing"):
        remove(tmp_path / name)
    assert (tmp_path / "kept" / "a" / "b" / "file").exists() and not (tmp_path / "link").is_symlink()
