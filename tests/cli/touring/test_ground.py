"""Promises: what was changed is put back, the last first, whatever fails, and also by the next tour."""

import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from madang.cli.refusal import Refusal
from madang.cli.touring import ground
from madang.cli.touring.ground import Ground

Said = list[tuple[str, tuple[str, ...]]]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Said:
    """What would have been run; a command with the word `fails` does."""
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    heard: Said = []

    def command(name: str, words: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
        assert cwd.is_dir() and not any(cwd.iterdir()), "a command was run where an application may be"
        heard.append((name, tuple(words)))
        return subprocess.CompletedProcess(words, 1 if "fails" in words else 0, "", "")

    monkeypatch.setattr(ground, "command", command)
    return heard


def test_the_last_promise_is_kept_first(said: Said) -> None:
    here = Ground("c", own=True)
    here.promise("down", "--purge")
    here.promise("scale", "cart", "1")
    done = here.promise("scale", "web", "2")
    here.kept(done)
    assert here.put_back() == []
    assert said == [("c", ("scale", "cart", "1")), ("c", ("down", "--purge"))]
    assert not here.note.exists() and not Path(here.folder.name).exists()


def test_one_that_cannot_be_kept_is_told_and_the_others_are(said: Said) -> None:
    here = Ground("c", own=True)
    here.promise("down")
    here.promise("fails")
    assert here.put_back() == ["MADANG_NAME=c madang fails"]
    assert said[-1] == ("c", ("down",))


def test_what_a_killed_tour_left_is_put_back_by_the_next(said: Said) -> None:
    dead = Ground("c", own=True)
    dead.promise("down", "--purge", name="c-nodes")
    note = json.loads(dead.note.read_bytes())
    dead.note.write_text(json.dumps({**note, "ticks": note["ticks"] - 1}))  # that process is no more
    following = Ground("c", own=True)
    following.read()
    assert said == [("c-nodes", ("down", "--purge"))]
    assert following.put_back() == []


def test_two_tours_do_not_share_a_courtyard(said: Said) -> None:
    here = Ground("c", own=True)
    here.promise("down")
    with pytest.raises(Refusal, match=rf"another tour goes through the courtyard 'c' \(pid {os.getpid()}\)"):
        Ground("c", own=True).read()
    here.put_back()


def test_a_courtyard_of_three_nodes_gets_a_free_name(said: Said, tmp_path: Path) -> None:
    assert ground.another("tour") == "tour-nodes"
    (tmp_path / "tour-nodes").mkdir()
    assert ground.another("tour") == "tour-nodes2"
    assert len(ground.another("x" * 32)) <= 32


def test_a_tour_that_is_killed_as_it_promises_has_still_promised_all_before(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Ground("c", own=True)
    here.promise("down")

    def cut(path: Path, text: str) -> int:
        path.write_bytes(text[:5].encode())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", cut)
        with pytest.raises(KeyboardInterrupt):
            here.promise("scale", "web", "2")
    told = json.loads(here.note.read_bytes())
    assert told["promises"] == [["c", "down"]]


def test_a_port_that_a_demo_still_has_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = str(held.getsockname()[1])
        monkeypatch.setenv("SHOP_PORT", taken)
        assert ground.free_port() not in ("", taken)
    assert ground.free_port() == ""  # free again: what was asked for
