"""The control process that loads ahead of its command line: whose it is guessed to be, and that it never stays."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.cli import ahead, courtyards


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    monkeypatch.delenv("MADANG_NAME", raising=False)
    yield tmp_path
    ahead.drop()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([], "default"),
        (["--name", "one"], "one"),
        (["--name=two", "--detach"], "two"),
        (["--name", "one", "shop", "--name", "three"], "three"),
        (["--name"], ""),
    ],
)
def test_meant(words: list[str], name: str) -> None:
    assert ahead.meant(words) == name


def test_the_environment_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADANG_NAME", "four")
    assert ahead.meant(["--detach"]) == "four"
    assert ahead.meant(["--name", "one"]) == "one"


@pytest.mark.parametrize("words", [[], ["down"], ["status"], ["up", "--help"], ["up", "-h"], ["--version", "up"]])
def test_nothing_is_begun_for_other_commands(words: list[str]) -> None:
    ahead.begin(words)
    assert ahead.take("default", courtyards.state_root().as_posix() + "/default") is None


def test_nothing_is_begun_where_one_runs(root: Path) -> None:
    run = root / "default" / "run"
    run.mkdir(parents=True)
    (run / "courtyard.json").write_text("{}")
    ahead.begin(["up"])
    assert ahead.take("default", str(root / "default")) is None


def test_what_nobody_takes_is_gone_and_made_nothing(root: Path) -> None:
    ahead.begin(["up", "--name", "one"])
    (begun,) = ahead._begun
    assert ahead.take("other", str(root / "other")) is None
    ahead.drop()
    with pytest.raises(ProcessLookupError):
        os.kill(begun.pid, 0)
    assert list(root.iterdir()) == []


def test_who_died_meanwhile_is_not_told(root: Path) -> None:
    ahead.begin(["up"])
    begun = ahead.take("default", str(root / "default"))
    assert begun is not None and ahead.take("default", str(root / "default")) is None
    os.kill(begun.pid, 9)
    os.waitid(os.P_PID, begun.pid, os.WEXITED | os.WNOWAIT)
    reader, writer = os.pipe()
    assert not begun.tell(["--name", "default"], [writer])
    os.close(reader)
    os.close(writer)


TOLD = (
    "import sys\nfrom madang.courtyard import waiting\nwords = waiting.told(int(sys.argv[1]))\nprint(words, flush=True)"
)


@pytest.mark.parametrize("locked", [True, False])
def test_told(tmp_path: Path, locked: bool) -> None:
    ours, theirs = socket.socketpair()
    log = tmp_path / "log"
    with theirs, open(log, "wb") as file, open(tmp_path / "other", "wb") as other:
        process = subprocess.Popen([sys.executable, "-c", TOLD, str(theirs.fileno())], pass_fds=[theirs.fileno()])
        given = [other.fileno(), file.fileno(), *([other.fileno()] if locked else [])]
        socket.send_fds(ours, [b"--name\0one\0--listen\0"], given)
        ours.close()
    assert process.wait(30) == 0
    said = log.read_text()
    assert said.startswith("['--name', 'one', '--listen', '', '--ready-fd', '")
    assert ("'--lock-fd', '-1'" in said) is not locked


def test_told_nothing() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", TOLD, str(theirs.fileno())],
            pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    ours.close()
    assert process.communicate(timeout=30)[0] == "None\n"
