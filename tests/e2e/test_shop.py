"""The examples/shop from the files to a page, harmed and healed, changed, and gone without a trace."""

import json
import shutil
import urllib.request
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.e2e.conftest import Court
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
PORT = free_port()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy with a published port of its own: another shop may run on this machine."""
    place = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "shop", place)
    compose = place / "compose.yaml"
    compose.write_text(compose.read_text().replace('"${SHOP_PORT:-8080}:8000"', f'"{PORT}:8000"'))
    return place


def page() -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=5) as answer:
        return str(answer.read().decode())


def post(path: str, body: dict[str, Any]) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.loads(answer.read())


def rows(court: Court) -> dict[str, Any]:
    return {row["service"]: row for row in court.json("status")["services"]}


def until(court: Court, service: str, **wanted: Any) -> dict[str, Any]:
    deadline = monotonic() + 60
    while monotonic() < deadline:
        row = rows(court)[service]
        if all(row[key] == value for key, value in wanted.items()):
            return dict(row)
        sleep(0.2)
    raise AssertionError(f"{service} never became {wanted}: {rows(court)[service]}\n{court.kubectl('get', 'events')}")


def test_the_shop(court: Court, shop: Path) -> None:
    up = court.json("up", str(shop), "--detach")
    assert up["ready"] and {s["state"] for s in up["states"]} == {"ready"}
    assert "Celadon bowl" in page() and up["addresses"]["web"] == f"http://127.0.0.1:{PORT}"
    status, order = post("/buy", {"product": 1, "quantity": 1})
    assert (status, order["state"]) == (201, "paid")

    court.run("break", "cart")
    assert until(court, "cart", state="ready", restarts=1)
    court.run("scale", "orders", "2")
    until(court, "orders", ready=2)
    assert court.run("exec", "web", "--", "cat", "/etc/hostname", ok=False).returncode in (0, 1)
    assert court.run("exec", "web", "--", "sh", "-c", "exit 7", ok=False).returncode == 7
    assert "migrated" in court.run("run", "orders", "python", "-c", "print('migrated')").stdout
    assert "Uvicorn running" in court.run("logs", "web").stdout
    court.run("stop", "payments")
    until(court, "payments", state="stopped")
    court.run("start", "payments")
    until(court, "payments", state="ready")


def test_applying_again_changes_only_what_changed(court: Court, shop: Path) -> None:
    court.run("up", str(shop), "--detach")
    before = court.kubectl("get", "pods", "-o", "name").split()
    court.run("up", str(shop), "--detach")
    assert sorted(court.kubectl("get", "pods", "-o", "name").split()) == sorted(before)
    html = shop / "web" / "web" / "html.py"
    html.write_text(html.read_text().replace("five services, one page", "a changed page"))
    court.run("up", str(shop), "--detach")
    assert "a changed page" in page()
    after = set(court.kubectl("get", "pods", "-o", "name").split())
    assert {p for p in before if "web" not in p} <= after, "what had not changed was replaced"
    unknown = court.run("scale", "catlog", "2", ok=False)
    assert unknown.returncode == 2 and "did you mean 'catalog'" in unknown.stderr


def test_down_and_up_waits_again(court: Court, shop: Path) -> None:
    """A gate holds after a `down`, too: who waits for others is made anew, who does not goes on as it was, and counts
    one restart, as on a node that was restarted."""
    court.run("up", str(shop), "--detach")
    before = set(court.kubectl("get", "pods", "-o", "name").split())
    court.run("down")
    court.run("up", str(shop), "--detach")
    after = set(court.kubectl("get", "pods", "-o", "name").split())
    kept = {name.split("/")[1].split("-")[0] for name in before & after}
    assert kept == {"catalog", "cart", "payments"}
    restarts = {row["service"]: row["restarts"] for row in rows(court).values()}
    assert restarts["web"] == restarts["orders"] == 0 and restarts["cart"] == restarts["payments"] == 1
