"""The frame of the tour: whatever becomes of a step, what was promised is kept, and the exit code tells."""

import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from madang.cli.main import app
from madang.cli.refusal import Refusal
from madang.cli.touring import ground, steps
from madang.cli.touring.stage import Stage
from madang.cli.touring.telling import Telling

Show = Callable[[Stage], Awaitable[None]]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    monkeypatch.delenv("MADANG_NAME", raising=False)
    said: list[str] = []

    def command(name: str, words: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
        said.append(f"{name}: {' '.join(words)}")
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(ground, "command", command)
    return said


def walk(monkeypatch: pytest.MonkeyPatch, show: Show, *words: str) -> tuple[int, str, BaseException | None]:
    monkeypatch.setattr(steps, "STEPS", (steps.Step("start", show), *steps.STEPS[1:]))  # type: ignore[arg-type]
    done = CliRunner().invoke(app, ["tour", "--step", "1", "--lang", "en", *words])
    return done.exit_code, done.output, done.exception


def test_a_step_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, kept: list[str]) -> None:
    async def fails(stage: Stage) -> None:
        stage.ground.promise("scale", "cart", "1")
        raise Refusal("not seen within 60 s")

    code, said, error = walk(monkeypatch, fails)
    assert code == 1 and isinstance(error, Refusal) and kept == ["tour: scale cart 1"]
    assert "as it was before" not in said


def test_ctrl_c_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, kept: list[str]) -> None:
    async def interrupted(stage: Stage) -> None:
        stage.ground.promise("down", "--purge")
        raise KeyboardInterrupt

    code, said, _ = walk(monkeypatch, interrupted)
    assert code == 130 and kept == ["tour: down --purge"] and "Stopped early" in said


def test_a_reader_who_has_gone_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, kept: list[str]) -> None:
    """`madang tour | head`: Python says so by BrokenPipeError, and the console ends the program at the next line."""

    async def unheard(stage: Stage) -> None:
        stage.ground.promise("down", "--purge")
        monkeypatch.setattr(Telling, "see", gone)
        raise BrokenPipeError

    def gone(*_: object) -> None:
        raise SystemExit(1)

    walk(monkeypatch, unheard)
    assert kept == ["tour: down --purge"]


def test_figures_as_data(monkeypatch: pytest.MonkeyPatch, kept: list[str]) -> None:
    async def measures(stage: Stage) -> None:
        stage.measured(ready_s=1.5, instances=7)

    code, said, _ = walk(monkeypatch, measures, "--output", "json")
    assert code == 0 and '"ready_s": 1.5' in said and '"courtyard": "tour"' in said


def test_the_shop_takes_another_port_where_its_own_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.delenv("SHOP_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        monkeypatch.setattr(ground, "USUAL_PORT", taken)
        assert ground.free_port() not in ("", str(taken))
    assert ground.free_port() == ""
    monkeypatch.setenv("SHOP_PORT", "1")
    assert ground.free_port() == "", "the user has chosen"
