"""Putting back, cut off at every moment: what stands at the courtyard's place is the old one or the new, whole."""

import os
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from madang.courtyard.backup import putting
from madang.courtyard.backup.manifest import Manifest, Wrong
from madang.courtyard.backup.writing import archive
from madang.ports.journal import Loaded, Row
from madang.ports.objects import Key
from madang.store.sqlite import SqliteJournal


def state(path: Path, word: str, revision: int, home: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = SqliteJournal(path)
    data = orjson.dumps({"word": word, "path": f"{home}/volumes/shop/a"})
    journal.fill(Loaded([Row(Key("configmaps", "shop", "c"), revision, data)], revision))
    journal.close()


def read(home: Path) -> tuple[dict[str, Any], int]:
    journal = SqliteJournal(home / "state.db")
    try:
        loaded = journal.load()
        (row,) = loaded.rows
        return orjson.loads(row.data or b""), loaded.revision
    finally:
        journal.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    elsewhere = Path("/elsewhere/other")
    source = tmp_path / "source"
    state(source / "state.db", "new", 5, elsewhere)
    (source / "a").mkdir()
    (source / "a" / "orders").write_text("new")
    path = tmp_path / "backup.tar.gz"
    with archive(path, Manifest("other", str(elsewhere), "0.1.0", "now", 5, ("volumes/shop/a",), ())) as made:
        made.tree(source / "state.db", "state.db")
        made.tree(source / "a", "volumes/shop/a")
        made.data("images/programs/x.json", b'{"root": "/elsewhere/other/volumes"}')
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "root" / "default"
    state(home / "state.db", "old", 90, home)
    (home / "volumes" / "shop" / "a").mkdir(parents=True)
    (home / "volumes" / "shop" / "a" / "orders").write_text("old")
    for name in ("addresses.json", "dashboard.port", "dashboard.key"):
        (home / name).write_text("here")
    return home


def word(home: Path) -> str:
    """Which one it is; the objects and the volumes must be of the same."""
    said = str(read(home)[0]["word"])
    assert (home / "volumes/shop/a/orders").read_text() == said
    return said


def test_it_takes_the_place_and_the_one_before_is_kept(file: Path, home: Path) -> None:
    with putting.fresh(file, home) as one:
        assert word(home) == "old"
        aside = putting.swap(one)
    assert aside is not None and word(home) == "new" and read(aside)[0]["word"] == "old"
    obj, revision = read(home)
    assert obj["path"] == f"{home}/volumes/shop/a", "paths lead below the new home"
    assert revision > 90, "a revision never goes back"
    assert (home / "images/programs/x.json").read_text() == f'{{"root": "{home}/volumes"}}'
    for name in ("addresses.json", "dashboard.port", "dashboard.key"):
        assert (home / name).read_text() == "here"
    assert putting.kept(home) == [aside] and not (home / putting.MARK).exists()
    putting.swap_back(home, aside)
    assert word(home) == "old" and putting.kept(home) == []


def test_it_is_put_back_even_where_the_one_before_keeps_an_odd_name(
    file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(path))

    with putting.fresh(file, home) as one:
        monkeypatch.setattr(Path, "rename", refuse)
        aside = putting.swap(one)
        monkeypatch.undo()
    assert word(home) == "new" and aside is not None and read(aside)[0]["word"] == "old"
    assert putting.kept(home) == [aside]
    with putting.fresh(file, home):
        assert any(read(kept)[0]["word"] == "old" for kept in putting.kept(home) if kept != aside), "it has its name"


def test_where_nothing_was(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "root" / "fresh"
    with putting.fresh(file, home) as one:
        assert putting.swap(one) is None
    assert word(home) == "new" and read(home)[1] == 6 and putting.kept(home) == []


def test_a_damaged_state_is_overtaken_too(file: Path, home: Path) -> None:
    (home / "state.db").write_bytes(b"x" * 10_000)
    with putting.fresh(file, home) as one:
        putting.swap(one)
    assert word(home) == "new" and read(home)[1] > putting.BEYOND


def test_a_wrong_file_changes_nothing(home: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"hello")
    with pytest.raises(Wrong), putting.fresh(wrong, home):
        pass
    assert word(home) == "old" and putting.kept(home) == []


def test_one_at_a_time(file: Path, home: Path) -> None:
    with putting.fresh(file, home), pytest.raises(OSError, match="another restore"), putting.fresh(file, home):
        pass
    assert putting.kept(home) == []


# What changes the file system on the way.
CALLS = ("rename", "replace", "mkdir", "touch", "unlink", "exchange", "sync", "copy2", "write_text")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_step(
    call: str, after: bool, file: Path, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A child that ends without a word just before, or just after, the n-th of these calls; for every n."""
    for number in range(1, 40):
        place = tmp_path / f"{number}" / "default"
        place.parent.mkdir()
        shutil.copytree(home, place)
        pid = os.fork()
        if pid == 0:
            try:
                die_at(monkeypatch, call, number, after=after)
                with putting.fresh(file, place) as one:
                    putting.swap(one)
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        found = word(place)
        assert found in ("old", "new")
        if os.waitstatus_to_exitcode(status) == 0:
            assert found == "new"
            return
        with putting.fresh(file, place) as one:  # and the next one works
            aside = putting.swap(one)
        assert word(place) == "new" and aside is not None
        assert {word(kept) for kept in putting.kept(place)} <= {"old", "new"}
    raise AssertionError(f"{call} is called without end")


def die_at(monkeypatch: pytest.MonkeyPatch, call: str, number: int, *, after: bool) -> None:
    owner: Any = putting if call in ("exchange", "sync") else putting.shutil if call == "copy2" else Path
    real, left = getattr(owner, call), [number]

    def dying(*words: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            os._exit(9)
        done = real(*words, **more)
        if left[0] == 0:
            os._exit(9)
        return done

    monkeypatch.setattr(owner, call, dying)
