"""One image through four environments: nothing is built between them, and each runs the same digest."""

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from madang.node.images.collection import candidates, let_go, sweep, unused
from madang.node.images.place import opened
from tests.e2e.conftest import Court, courtyard
from tests.e2e.images import bring

pytestmark = pytest.mark.e2e
ENVIRONMENTS = ("development", "test", "staging", "production")
RUN = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
COMPOSE = """
services:
  cart:
    image: shop/cart:1
    stop_grace_period: 0s
    environment: {WHERE: desk, STAGE: '${STAGE:-none}'}
"""


def application(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM tiny:1\nCOPY word /word\n")
    (folder / "word").write_text("the same\n")
    (folder / "compose.yaml").write_text(COMPOSE)
    for name in ENVIRONMENTS[:-1]:
        (folder / f"compose.{name}.yaml").write_text(f"services: {{cart: {{environment: {{WHERE: {name}}}}}}}\n")
    (folder / ".env.production").write_text("STAGE=last\n")
    return folder


def files(root: Path) -> dict[str, int]:
    """Everything that the store and the cache hold, but for who uses what."""
    tops = [root / ".images" / part for part in ("index.json", "blobs", "trees")] + [root / ".build"]
    found = [p for top in tops for p in (top, *top.rglob("*"))]
    return {str(p): p.lstat().st_mtime_ns for p in found if p.is_file() and not p.is_symlink()}


def beside(court: Court, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "madang.cli", *words],
        env=court.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def skip_without_containers(court: Court) -> None:
    record = json.loads((court.home / "run" / "courtyard.json").read_text())
    able = {a["name"]: a for a in record["machine"]["abilities"]}["container"]
    if not able["works"]:
        pytest.skip(f"containers do not work here: {able['why_not']}")


def test_one_digest_goes_through_four_environments(tmp_path: Path) -> None:
    with ExitStack() as stack:
        courts = {name: stack.enter_context(courtyard(tmp_path / "m")) for name in ENVIRONMENTS}
        first = courts["development"]
        bring(first.home, tmp_path, Entrypoint=["sh", "-c"], Cmd=[RUN])
        folder = application(tmp_path / "shop")
        digest = first.json("build", str(folder), "-t", "shop/cart:1")["digest"]
        before = files(tmp_path / "m")
        words = ("up", str(folder), "--detach", "--env")
        starting = {name: beside(court, *words, name) for name, court in courts.items()}
        said = {name: one.communicate(timeout=100)[0] for name, one in starting.items()}
        skip_without_containers(first)
        assert {name: one.returncode for name, one in starting.items()} == dict.fromkeys(ENVIRONMENTS, 0), said
        assert re.search(r"^files: .*/compose.yaml, .*/compose.staging.yaml$", said["staging"], re.MULTILINE)
        assert re.search(r"^files: .*/compose.yaml, .*/.env.production$", said["production"], re.MULTILINE)

        found: list[dict[str, Any]] = first.json("image", "ls", "--envs")
        assert {(r["courtyard"], r["environment"]) for r in found} == {(c.name, n) for n, c in courts.items()}
        assert {r["digest"] for r in found} == {digest} and {r["service"] for r in found} == {"cart"}
        assert files(tmp_path / "m") == before, "nothing was built, loaded or unpacked for any of them"

        first.run("down", "--purge")  # takes no image from the others
        store = opened(courts["test"].home)
        assert len(store.holders(digest)) == 3
        gone = let_go(store, unused(candidates(store), named_too=True))
        sweep(store.layout)
        assert digest not in gone and len(store.all()) == 1
        word = ("exec", "deploy/cart", "--", "sh", "-c", "cat /word; echo $WHERE $STAGE")
        assert courts["production"].kubectl(*word).split() == ["the", "same", "desk", "last"]
        ending = [beside(court, "down", "--purge") for court in courts.values()]  # quicker than one by one
        assert [one.communicate(timeout=100) and one.returncode for one in ending] == [0] * 4
