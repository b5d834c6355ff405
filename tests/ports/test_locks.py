"""A lock is held as long as a process holds it, and looking does not take it."""

import fcntl
from pathlib import Path

from madang.ports.locks import held


def test_held_while_somebody_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not held(path), "no such file"
    with path.open("w") as mine:
        assert not held(path)
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert held(path) and held(path)
    assert not held(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "lock", tmp_path / "link"
    link.symlink_to(path)
    with path.open("w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        assert held(path) and not held(link)
