"""What is said at one start holds at the next, unless something else is said."""

from pathlib import Path

from madang.courtyard.arguments import keep, parse


def words(home: Path, *more: str) -> list[str]:
    return ["--name", "x", "--home", str(home), *more]


def test_what_was_said_is_kept(tmp_path: Path) -> None:
    keep(parse(words(tmp_path, "--nodes", "3", "--listen", "0.0.0.0", "--network", "loopback")))
    again = parse(words(tmp_path))
    assert (again.nodes, again.listen) == (3, "0.0.0.0")
    assert again.network == "", "a machine that has learned bridges should use them"
    assert parse(words(tmp_path, "--nodes", "1")).nodes == 1


def test_a_spoilt_file_is_only_a_convenience_lost(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{")
    assert parse(words(tmp_path)).nodes == 1
