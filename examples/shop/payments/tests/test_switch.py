"""The switch and the charges, over HTTP in process."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("httpx")
from starlette.testclient import TestClient


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("DATA", str(tmp_path))
    module = importlib.reload(importlib.import_module("payments.api"))
    return TestClient(module.app)


def test_switching(client: TestClient) -> None:
    assert client.post("/charges", json={"order": "a", "cents": 1}).status_code == 200
    assert client.post("/switch", json={"mode": "down"}).json()["mode"] == "down"
    assert client.post("/charges", json={"order": "b", "cents": 1}).status_code == 503
    assert client.post("/switch", json={"mode": "away"}).status_code == 400


def test_a_void_comes_before_a_late_charge(client: TestClient) -> None:
    client.delete("/charges/late")
    assert client.post("/charges", json={"order": "late", "cents": 1}).status_code == 409


def test_switching_from_inside_an_instance(tmp_path: Path) -> None:
    def switch(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "payments.switch", *words],
            cwd=Path(__file__).parents[1], env={**os.environ, "DATA": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert switch().stdout == "every charge succeeds at once\n"
    assert switch("slow").stdout == switch().stdout == "every charge takes two seconds\n"
    assert "expected one of ok, slow, flaky, down" in switch("away").stderr
