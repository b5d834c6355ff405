"""What a restore does where the courtyard is not empty, and where the new one does not come up."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from madang.cli import courtyards, restore
from madang.cli.courtyards import Courtyard
from madang.cli.refusal import Refusal
from madang.courtyard.backup import putting
from madang.courtyard.backup.manifest import Manifest
from madang.courtyard.backup.moving import missing
from madang.ports.program import Program, save


def court(home: Path) -> Courtyard:
    home.mkdir(parents=True, exist_ok=True)
    return Courtyard("default", home)


def test_it_asks_where_something_would_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = court(tmp_path / "default")
    restore.agreed(one, False)
    (one.home / "state.db").touch()
    restore.agreed(one, True)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Refusal, match="holds objects and volumes, which would be replaced: say --yes") as refusal:
        restore.agreed(one, False)
    assert refusal.value.code == 2


@pytest.mark.parametrize("was_running", [False, True])
def test_the_one_before_comes_back(was_running: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    one, aside = court(tmp_path / "default"), tmp_path / ".default.before-x"
    (one.home / "new").touch()
    court(aside)
    (aside / "old").touch()
    woken: list[list[str]] = []

    class Waking:
        def ready(self) -> Courtyard:
            woken.append(sorted(path.name for path in one.home.iterdir()))
            if len(woken) == 1:
                raise Refusal("it could not start")
            return one

    monkeypatch.setattr(courtyards, "wake", lambda court, arguments: Waking())
    with pytest.raises(Refusal, match="it could not start\nthe courtyard is as it was before"):
        restore.come_up(one, aside, was_running)
    assert woken == ([["new"], ["old"]] if was_running else [["new"]])
    assert [path.name for path in one.home.iterdir()] == ["old"] and not aside.exists()


@pytest.mark.parametrize("was_running", [False, True])
def test_what_ran_goes_on_where_the_new_one_cannot_take_its_place(
    was_running: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    one, woken = court(tmp_path / "default"), []

    class Waking:
        def ready(self) -> Courtyard:
            woken.append(one.name)
            return one

    def full(fresh: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(courtyards, "wake", lambda court, arguments: Waking())
    monkeypatch.setattr(putting, "swap", full)
    fresh = putting.Fresh(tmp_path / "fresh", one.home, Manifest("default", "/x", "1", "now", 1, (), ()))
    with pytest.raises(OSError, match="No space left"):
        restore.take_place(one, fresh, was_running)
    assert woken == (["default"] if was_running else [])


def deployment(**status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}


def test_when_a_deployment_has_what_it_wants() -> None:
    assert restore.satisfied(deployment(observedGeneration=2, availableReplicas=2))
    assert not restore.satisfied(deployment(observedGeneration=1, availableReplicas=2))
    assert not restore.satisfied(deployment(observedGeneration=2, availableReplicas=1))
    assert not restore.satisfied(deployment(observedGeneration=2))
    assert restore.satisfied({"metadata": {}, "spec": {"replicas": 0}})


def test_sources_that_are_not_here_are_named(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for name, root in (("a", tmp_path / "here"), ("b", tmp_path / "away")):
        save(tmp_path, Program(f"shop/{name}:1", root))
    (tmp_path / "images" / "programs" / "x.json").write_text("{")
    save(tmp_path, Program("shop/c:1", tmp_path / "here", path=(str(tmp_path / "environment" / "bin"),)))
    texts = [path.read_bytes() for path in (tmp_path / "images" / "programs").glob("*.json")]
    assert missing(texts) == {
        "shop/b:1": str(tmp_path / "away"),
        "shop/c:1": str(tmp_path / "environment" / "bin"),
    }
    assert json.loads(next(text for text in texts if b"shop/b" in text))["root"] == str(tmp_path / "away")
