"""The commands of the documents for learners, typed one after the other on a real shop.

Each must succeed. Where the document shows an output that is the same on every machine, it must be this one.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Court, courtyard
from tests.free_ports import free_port
from tests.learner_docs import ROOT, blocks, spans

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ALONE = ("madang up", "madang tour", "madang down", "madang backup", "madang restore")  # have tests of their own
STABLE = ("outer-architecture", "inner-architecture")
SECONDS = re.compile(r"--seconds \d+")


class Terminal:
    """A shell in the clone in which `madang` and `python` are found, beside a shop with addresses of its own."""

    def __init__(self, court: Court, folder: Path, page: str, door: str) -> None:
        self.court = court
        self.places = {"http://127.0.0.1:8080": page, "http://127.0.0.1:7080": door}
        folder.mkdir()
        for name, words in (("madang", [sys.executable, "-m", "madang.cli"]), ("python", [sys.executable])):
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            (folder / name).chmod(0o755)
        self.env = {**court.env, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    def type(self, line: str) -> str:
        for usual, own in self.places.items():
            line = line.replace(usual, own)
        done = subprocess.run(
            ["bash", "-c", SECONDS.sub("--seconds 2", line)],
            env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    root = tmp_path_factory.mktemp("docs")
    with courtyard(root / "m") as court:
        os.environ["SHOP_PORT"] = str(free_port())
        try:
            told = court.json("up", "examples/shop", "--detach")
        finally:
            del os.environ["SHOP_PORT"]
        yield Terminal(court, root / "bin", told["addresses"]["web"], told["addresses"]["gateway"])


def typed(name: str) -> list[tuple[str, str]]:
    """(command, the output that the document shows, empty where it shows none), in order."""
    found: list[tuple[str, str]] = []
    for block in blocks((ROOT / "docs" / f"{name}.md").read_text(), "console"):
        for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = piece.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize("name", [*STABLE, "reactive"])
def test_what_the_page_says_can_be_typed(terminal: Terminal, name: str) -> None:
    bridge = terminal.court.json("status")["machine"]["network"] == "bridge"
    pages = typed(name)
    assert pages
    for command, shown in pages:
        said = terminal.type(command)
        if shown and name in STABLE and bridge:
            assert said == shown, f"$ {command}"


def test_the_commands_of_the_tables_can_be_typed(terminal: Terminal) -> None:
    """Each on the running shop, as it stands in the README's first table and in the pages."""
    readme = (ROOT / "README.md").read_text().partition("## ")[0]
    texts = [readme, *((ROOT / "docs" / f"{name}.md").read_text() for name in (*STABLE, "reactive"))]
    said = {span for text in texts for span in spans(text) if span.startswith("madang ")}
    now = sorted(span for span in said if not span.startswith(ALONE) and not span.endswith(" -w"))
    assert len(now) > 8
    for span in now:
        terminal.type(span)
