"""`madang up` with `build:` in containers: the shop, a Dockerfile of several stages beside it, changes, choices."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.e2e import own_python
from tests.e2e.conftest import Court, courtyard
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
SHOP = Path(__file__).parents[2] / "examples" / "shop"

STAGES = """\
FROM python:3-slim AS build
WORKDIR /make
COPY page.txt .
RUN mkdir -p /out && cat page.txt > /out/index.html && echo made >> /out/index.html

FROM python:3-slim AS base
ENV GREETING=hello

FROM base
RUN mkdir -p /srv
COPY --from=build /out /srv/
WORKDIR /srv
USER 1234
STOPSIGNAL SIGINT
EXPOSE 8000
HEALTHCHECK --interval=1s CMD wget -q -O- http://localhost:8000/
ENTRYPOINT ["python3", "-m", "http.server"]
CMD ["8000"]
"""
FOREIGN = """\
services:
  site:
    build: ./site
    ports: ["{port}:8000"]
    develop:
      watch:
        - {{action: sync, path: ./site/page.txt, target: /srv/index.html}}
        - {{action: sync+restart, path: ./site/more, target: /srv/more}}
        - {{action: rebuild, path: ./site/Dockerfile}}
  program:
    build: {{context: ./site, dockerfile_inline: "FROM python:3-slim\\nCMD sleep 600\\n"}}
    x-madang: {{runtime: host}}
"""


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    if os.geteuid() != 0:
        pytest.skip("only root builds images")
    if not shutil.which("runc"):
        pytest.skip("runc is not installed")
    root = tmp_path_factory.mktemp("court")
    with courtyard(root / "m") as made:
        own_python.bring(made, root / "base")
        yield made
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def shop(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shop's folder, up; its published port in the environment."""
    folder = tmp_path_factory.mktemp("app") / "shop"
    shutil.copytree(SHOP, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_PORT", str(free_port()))
        said = court.run("up", str(folder), "--detach").stdout
        able = {
            a["name"]: a for a in json.loads((court.home / "run/courtyard.json").read_text())["machine"]["abilities"]
        }
        if not able["container"]["works"]:
            pytest.skip(f"containers do not work here: {able['container']['why_not']}")
        assert "in containers: cart, catalog, orders, payments, web (python:3-slim is here)" in said
        assert "cart: 4/4 COPY . .\n" in said and "cart: built in " in said
        yield folder


def status(url: str, host: str = "") -> int:
    with urlopen(Request(url, headers={"Host": host} if host else {}), timeout=20) as answer:
        return int(answer.status)


def pods(court: Court, namespace: str) -> dict[str, dict[str, Any]]:
    """By service; of several the last."""
    found = json.loads(court.kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    return {pod["metadata"]["labels"]["madang.dev/service"]: pod for pod in found}


def test_the_shop_answers_from_containers(court: Court, shop: Path) -> None:
    assert status(f"http://127.0.0.1:{os.environ['SHOP_PORT']}/") == 200
    gateway = court.json("status")["addresses"]["gateway"]
    assert status(gateway, "shop.localhost") == 200
    for pod in pods(court, "shop").values():
        (container,) = pod["status"]["containerStatuses"]
        assert container["imageID"].startswith("sha256:"), pod["metadata"]["name"]
    assert any((court.home / "volumes/shop/catalog").iterdir()), "named volumes are the courtyard's folders"


def test_a_changed_service_is_built_and_rolled_alone(court: Court, shop: Path) -> None:
    before = pods(court, "shop")
    said = court.run("up", str(shop), "--detach").stdout
    assert "built" not in said and pods(court, "shop").keys() == before.keys()
    (shop / "cart/cart/note.py").write_text("# new\n")
    said = court.run("up", str(shop), "--detach").stdout
    assert said.count("built in") == 1 and "cart: built in " in said and "(1 steps, 3 known before)" in said
    after = pods(court, "shop")
    changed = {name for name in before if before[name]["metadata"]["uid"] != after[name]["metadata"]["uid"]}
    assert changed == {"cart"}
    assert status(f"http://127.0.0.1:{os.environ['SHOP_PORT']}/") == 200


@pytest.fixture(scope="module")
def foreign(court: Court, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """(its folder, its port)."""
    folder, port = tmp_path_factory.mktemp("app") / "foreign", free_port()
    (folder / "site/more").mkdir(parents=True)
    (folder / "site/Dockerfile").write_text(STAGES)
    (folder / "site/page.txt").write_text("first\n")
    (folder / "compose.yaml").write_text(FOREIGN.format(port=port))
    return folder, port


def page(port: int, path: str = "") -> str:
    with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as answer:
        return str(answer.read().decode())


def test_stages_beside_it_and_a_program_by_its_own_word(court: Court, foreign: tuple[Path, int]) -> None:
    folder, port = foreign
    said = court.run("up", "--detach", cwd=folder).stdout
    assert "in containers: site (python:3-slim is here)" in said
    assert "as programs of this machine: program (as asked)" in said
    assert page(port) == "first\nmade\n"
    assert status(f"http://127.0.0.1:{os.environ['SHOP_PORT']}/") == 200
    kept = json.loads((court.home / "runtimes/foreign.json").read_text())["services"]
    assert kept["program"] == {"runtime": "host", "why": "as asked", "anew": 0}


def test_changed_files_reach_what_runs(court: Court, foreign: tuple[Path, int], tmp_path: Path) -> None:
    folder, port = foreign
    log = tmp_path / "log"
    before = pods(court, "foreign")["site"]["metadata"]["uid"]
    with open(log, "w") as out, subprocess.Popen(
        [sys.executable, "-m", "madang.cli", "up", "--watch"], env=court.env, cwd=folder, stdout=out, stderr=out
    ) as watching:  # fmt: skip
        try:
            until(lambda: "ready after" in log.read_text())
            until(lambda: changed(folder / "site/page.txt", "second\n") and page(port) == "second\n")
            (folder / "site/more/new.txt").write_text("new")
            until(lambda: "in place, started again" in log.read_text())
            until(lambda: page(port) == "second\n")  # a start again keeps what was written
            assert page(port, "more/new.txt") == "new"
            pod = pods(court, "foreign")["site"]
            assert pod["metadata"]["uid"] == before and pod["status"]["containerStatuses"][0]["restartCount"] == 1
            (folder / "site/Dockerfile").write_text(STAGES.replace("echo made", "echo built"))
            until(lambda: page(port) == "second\nbuilt\n")
        except AssertionError as error:
            raise AssertionError(log.read_text()) from error
        finally:
            watching.kill()


def test_a_step_that_fails_is_told_with_its_line(court: Court, foreign: tuple[Path, int]) -> None:
    folder, _ = foreign
    (folder / "site/Dockerfile").write_text(STAGES.replace("echo made", "echo broken; exit 3"))
    refused = court.run("up", "--detach", cwd=folder, ok=False)
    assert refused.returncode == 1 and "exit code: 3" in refused.stderr and refused.stderr.endswith("  broken\n")
    assert f"refused: site: {folder}/site/Dockerfile:4: process" in refused.stderr


def changed(file: Path, text: str) -> bool:
    """Written until it is seen: a watch that has just begun may miss the first."""
    file.write_text(text)
    return True


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if holds():
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)
