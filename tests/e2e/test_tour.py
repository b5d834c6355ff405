"""`madang tour` step by step on a real shop: what it shows is true, and the shop is as it was afterwards.

One shop for most steps; the first step makes a shop of its own. Figures are looked at for being there and for what
must hold on any machine (nothing failed, nothing restarted), never for how quick they are.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.e2e.conftest import Court, courtyard, mine
from tests.free_ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
EXCUSED = ("Timeout", "RemoteProtocolError")
SHOP = str(Path(__file__).resolve().parents[2] / "examples" / "shop")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    with courtyard(tmp_path_factory.mktemp("tour") / "m") as court:
        os.environ["SHOP_PORT"] = str(free_port())
        try:
            court.run("up", SHOP, "--detach")
        finally:
            del os.environ["SHOP_PORT"]
        yield court


def state(court: Court) -> dict[str, Any]:
    """What a person would call the shop: its settings, not its counters."""
    found = json.loads(court.kubectl("get", "deployments,hpa,services", "-o", "json"))["items"]
    kept = {}
    for one in found:
        spec = one["spec"]
        spec.get("template", {}).get("metadata", {}).pop("creationTimestamp", None)
        kept[one["kind"], one["metadata"]["name"]] = spec
    return kept


def step(court: Court, number: int) -> dict[str, Any]:
    before = state(court)
    told = court.json("tour", "--step", str(number))
    assert state(court) == before, "the shop is not as it was"
    assert court.neighbours == [court.name], "something was left beside the shop"
    (only,) = told["steps"]
    return dict(only["figures"])


def nobody_was_let_down(figures: dict[str, Any]) -> bool:
    """An answer that had begun when its program died cannot be asked for again (RemoteProtocolError: `catalog` writes
    head and body apart), and on a busy machine one may come too late. Nothing else may fail, unless the machine is
    starved: then probes fail as well, and a whole service may be out for a moment."""
    wrong = {what: n for what, n in figures.get("faults", {}).items() if not any(word in what for word in EXCUSED)}
    starved = os.getloadavg()[0] > 3 * (os.cpu_count() or 1)
    assert not wrong or starved, wrong
    return bool(figures["requests"] > 0)


def test_start(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a courtyard of the tour's own, which is gone afterwards."""
    monkeypatch.setenv("SHOP_PORT", str(free_port()))
    said = court.run("tour", "--step", "1", "--yes", "--lang", "ko").stdout
    assert "$ madang up examples/shop --detach" in said and "명령부터 전체 준비까지" in said
    assert not court.home.exists() and mine(court.home) == []


def test_start_of_a_shop_that_runs(shop: Court) -> None:
    assert step(shop, 1)["instances"] == 7


def test_names_and_load_balancing(shop: Court) -> None:
    figures = step(shop, 2)
    assert sorted(figures["answers"].values()) == [10, 10]


def test_self_healing(shop: Court) -> None:
    figures = step(shop, 3)
    assert nobody_was_let_down(figures) and figures["healed_s"] > 0


def test_horizontal_scaling(shop: Court) -> None:
    figures = step(shop, 4)
    assert nobody_was_let_down(figures) and figures["scaled_s"] > 0 and figures["autoscaled_s"] > 0


def test_rolling_update(shop: Court) -> None:
    figures = step(shop, 5)
    assert nobody_was_let_down(figures) and figures["updated_s"] > 0 and figures["undone_s"] > 0


def test_bin_packing(shop: Court) -> None:
    figures = step(shop, 6)
    assert figures["nodes"] == {"node-1": 100, "node-2": 100, "node-3": 30}


def test_workloads_outlive_the_control_plane(shop: Court) -> None:
    figures = step(shop, 7)
    assert nobody_was_let_down(figures) and figures["programs"] == "7/7"


@pytest.mark.parametrize(("number", "sign"), [(5, signal.SIGINT), (6, signal.SIGTERM), (7, signal.SIGINT)])
def test_cut_short(shop: Court, number: int, sign: signal.Signals) -> None:
    """Ctrl-C, or a plain kill, in the midst of what is harmed: all is put back all the same."""
    harm = {5: "$ madang kubectl rollout status", 6: "$ MADANG_NAME=", 7: "$ madang status"}[number]
    before = state(shop)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "madang.cli", "tour", "--step", str(number), "--lang", "en"],
        env=shop.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith(harm):
            break
    os.killpg(process.pid, sign)  # as a terminal does it: to everybody in front
    said += process.communicate(timeout=110)[0]
    assert process.returncode == 130 and "everything is as it was before" in said, said
    assert settled(shop, before) and shop.neighbours == [shop.name]


def settled(court: Court, before: dict[str, Any]) -> bool:
    """The settings of before, and all ready again."""
    end = monotonic() + 30
    while monotonic() < end:
        rows = [r for r in court.json("status")["services"] if r["namespace"] == "shop"]
        if state(court) == before and {r["state"] for r in rows} == {"ready"}:
            return True
        sleep(0.2)
    return False


def test_a_shop_that_is_not_ready_is_not_walked_through(shop: Court) -> None:
    """The last of the file: it stops a service."""
    shop.run("stop", "payments")
    refused = shop.run("tour", "--yes", ok=False)
    assert refused.returncode == 1 and "is not ready: payments" in refused.stderr and "Traceback" not in refused.stderr
    shop.run("start", "payments")
