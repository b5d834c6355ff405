"""The switch and the charges, over HTTP in process."""

import importlib
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
