"""The picture as text: every element by name in both languages, aligned, whether the terminal is wide or narrow."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from madang.cli import architecture
from madang.cli.main import app
from madang.web.facts import Snapshot
from madang.web.picture import picture
from madang.web.text import LANGUAGES, Language

NOWHERE = picture(Snapshot())


def drawn(monkeypatch: pytest.MonkeyPatch, width: int, language: Language) -> str:
    screen = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, soft_wrap=True)
    monkeypatch.setattr(architecture, "console", lambda: screen)
    monkeypatch.setattr(architecture, "say", lambda text="": screen.print(text))
    architecture.draw(NOWHERE, language)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80, 160])
def test_every_element_is_named(monkeypatch: pytest.MonkeyPatch, width: int, language: Language) -> None:
    text = re.sub(r"\s+", " ", drawn(monkeypatch, width, language))
    for lit in NOWHERE.every():
        assert lit.element.name.of(language) in text and lit.element.known_as.of(language) in text


def test_columns_stand_below_each_other_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = set()
    for line in drawn(monkeypatch, 160, "ko").splitlines():
        for known in ("Kubernetes", "Netflix Zuul", "Eureka", "Hystrix", "ELK", "Sonatype Nexus", "대표 제품"):
            if known in line:
                starts.add(cell_len(line[: line.index(known)]))
    assert len(starts) == 1


def test_nothing_runs_and_the_picture_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    said = CliRunner().invoke(app, ["architecture", "--lang", "ko", "--output", "json"])
    told = json.loads(said.stdout)
    assert said.exit_code == 0 and told["running"] is False
    assert [band["name"] for band in told["bands"]] == ["인프라", "플랫폼", "애플리케이션"]
    assert {e["lamp"] for band in told["bands"] for e in band["elements"]} == {"absent"}
