"""A machine divided into nodes: instances stand apart; nodes that are lost, drained, closed and deleted cost no GET."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.e2e.apps import get, write_app
from tests.e2e.conftest import Court
from tests.e2e.traces import control, kill, started
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
SERVICE = """
a:
  build: ./program
  ports: ["{port}:8000"]
  deploy: {{replicas: 3, resources: {{reservations: {{cpus: "0.02", memory: 16M}}}}}}
"""


@contextmanager
def callers(port: int) -> Iterator[list[str]]:
    """GETs one after the other; what went wrong with them."""
    over, faults = threading.Event(), list[str]()

    def call() -> None:
        while not over.wait(0.02):
            try:
                get(port)
            except OSError as error:
                faults.append(repr(error))

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield faults
    finally:
        over.set()
        thread.join()


def until(what: str, holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, f"not within {seconds} s: {what}"
        sleep(0.1)


class Nodes:
    def __init__(self, court: Court) -> None:
        self.court = court

    def of(self, kind: str, *more: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.court.kubectl("get", kind, "-o", "json", *more))["items"]
        return found

    def ready(self, name: str) -> str:
        node = next((n for n in self.of("nodes") if n["metadata"]["name"] == name), None)
        conditions = (node or {}).get("status", {}).get("conditions", [])
        return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "")

    def endpoints(self) -> int:
        return sum(e["conditions"]["ready"] for s in self.of("endpointslices") for e in s["endpoints"] or [])

    def places(self) -> dict[str, str]:
        """Node of each pod that is to stay."""
        pods = [p for p in self.of("pods") if "deletionTimestamp" not in p["metadata"]]
        return {p["metadata"]["name"]: p["spec"].get("nodeName", "") for p in pods}


def test_nodes_come_and_go_and_no_get_fails(court: Court, tmp_path: Path) -> None:
    port, nodes = free_port(), Nodes(court)
    write_app(tmp_path, SERVICE.format(port=port))
    court.run("up", "--detach", "--nodes", "3", cwd=tmp_path)
    published = nodes.endpoints()  # one slice a Service, three instances each
    assert sorted(nodes.places().values()) == ["node-1", "node-2", "node-3"]
    before, places = started(court.home), nodes.places()
    with callers(port) as faults:
        court.run("break", "node/node-2", "--how", "hang")
        until("node-2 is Unknown", lambda: nodes.ready("node-2") == "Unknown")
        until("its instance is out of rotation", lambda: nodes.endpoints() == published // 3 * 2)
        assert started(court.home) == before
        court.run("start", "node/node-2")
        until("it is back", lambda: nodes.ready("node-2") == "True" and nodes.endpoints() == published)
        assert started(court.home) == before and nodes.places() == places

        court.run("break", "node/node-3", "--how", "kill")
        until("node-3 is Unknown", lambda: nodes.ready("node-3") == "Unknown")
        assert len(started(court.home)) == len(before) // 3 * 2
        court.run("start", "node/node-3")
        until("its program runs again", lambda: nodes.endpoints() == published)
        assert nodes.places() == places

        court.kubectl("delete", "node", "node-1")
        until("node-1 registers again", lambda: nodes.ready("node-1") == "True", 5)
        sleep(6)  # longer than pods without a node are left alone
        assert nodes.places() == places

        court.kubectl("drain", "node-1", "--ignore-daemonsets", "--timeout=60s")
        until("it stands elsewhere", lambda: "node-1" not in nodes.places().values() and nodes.endpoints() == published)
        court.kubectl("uncordon", "node-1")
        court.kubectl("cordon", "node-2")
        court.run("scale", "a", "5")
        until("there are five", lambda: nodes.endpoints() == published // 3 * 5)
        assert sorted(nodes.places().values()).count("node-2") <= 2
    assert faults == []


def test_what_a_broken_node_left_running_ends_with_the_courtyard(court: Court, tmp_path: Path) -> None:
    write_app(tmp_path, SERVICE.format(port=free_port()))
    court.run("up", "--detach", "--nodes", "3", cwd=tmp_path)
    court.run("break", "node/node-2", "--how", "hang")
    kill(control(court.home))
    court.run("up", "--detach", cwd=tmp_path, ok=False)  # one instance is nobody's, so that it may not be ready
    assert started(court.home)
    court.run("down")
    assert not started(court.home)


def test_a_node_that_is_not_there_is_named(court: Court, tmp_path: Path) -> None:
    court.run("up", "--detach", "--nodes", "2", cwd=tmp_path)
    refused = court.run("break", "node/node-7", ok=False)
    assert refused.returncode == 1 and "there is no node 'node-7'; there are: node-1, node-2" in refused.stderr
    refused = court.run("break", "node/node-2", "--how", "slow", ok=False)
    assert refused.returncode == 2 and "a node can be broken by kill or hang" in refused.stderr
