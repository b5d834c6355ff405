import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dockerfile.ignore import Ignore
from madang.node.building.trees import Chosen, Context, Tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name, text in (("a.txt", "a"), ("b.txt", "b"), ("src/c.py", "c"), ("src/deep/d.py", "d"), ("log/x.log", "x")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "outside").write_text("secret")
    (root / "inner").symlink_to("src")
    (root / "climbs").symlink_to("../outside")
    (root / "absolute").symlink_to("/src/c.py")
    return root


def test_choosing(folder: Path) -> None:
    tree = Tree(folder)
    assert tree.choose(("*.txt", "inner/c.py")) == [
        Chosen("a.txt", "a.txt"), Chosen("b.txt", "b.txt"), Chosen("src/c.py", "c.py"),
    ]  # fmt: skip
    assert tree.choose(("s*/d*/*",)) == [Chosen("src/deep/d.py", "d.py")]
    assert tree.choose(("absolute", ".")) == [Chosen("src/c.py", "absolute"), Chosen("", "")]
    assert tree.choose(("no*",)) == []
    for pattern in ("no", "climbs"):
        with pytest.raises(FileNotFoundError, match=pattern):
            tree.choose((pattern,))


def test_parents_are_kept_from_the_pivot_on(folder: Path) -> None:
    tree = Tree(folder)
    assert [c.below for c in tree.choose(("src/deep/d.py", "src/./deep/*.py", "src/deep/./d.py"), True)] == [
        "src/deep", "deep", "",
    ]  # fmt: skip


def test_what_is_left_out_is_not_there(folder: Path) -> None:
    tree = Context(folder, Ignore("*\n!src/deep\n!log\n**/*.log\n"))
    assert [path for path, _ in tree.walk("")] == ["log", "src", "src/deep", "src/deep/d.py"]
    with pytest.raises(FileNotFoundError):
        tree.choose(("a.txt",))
    assert tree.choose(("*",)) == [Chosen("log", "log"), Chosen("src", "src")]


def test_a_digest_is_over_names_modes_links_and_bytes(folder: Path) -> None:
    def digest(*patterns: str) -> str:
        return Tree(folder).digest(patterns)

    first = digest(".")
    os.utime(folder / "a.txt", (1, 1))
    assert digest(".") == first
    (folder / "a.txt").chmod(0o600)
    second = digest(".")
    (folder / "inner").unlink()
    (folder / "inner").symlink_to("log")
    third = digest(".")
    (folder / "src/deep/d.py").write_text("D")
    assert len({first, second, third, digest("."), digest("src"), digest("src/deep")}) == 6


PARTS = st.lists(st.sampled_from(["a", "b", "..", ".", "up", "top", "loop"]), max_size=8)


@given(PARTS)
def test_no_path_leads_out(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "a").mkdir()
    (root / "a/up").symlink_to("../../..")
    (root / "a/top").symlink_to("/")
    (root / "a/loop").symlink_to("loop")
    try:
        found = Tree(root).resolve("/".join(parts))
    except OSError:  # links without an end
        return
    assert not found.startswith("/") and ".." not in found.split("/")
    assert os.path.realpath(root / found) == str(root / found).rstrip("/")
