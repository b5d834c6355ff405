"""Everything that the house is made of, killed with -9 in every order and at once, by one `up` brought back each time.

Nothing acknowledged is lost, nothing stops that should run, and how a program ended meanwhile is known. One courtyard
serves all orders: what one order leaves behind, the next one meets.
"""

import asyncio
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from madang.api.remote import RemoteApi
from tests.e2e.apps import get, write_app
from tests.e2e.conftest import Court, courtyard
from tests.e2e.traces import control, id_of, keeper, kill, serving, started, traces
from tests.free_ports import free_port
from tests.store.formats.kept import FORMATS, unpack

pytestmark = pytest.mark.e2e
PARTS = ("control", "monitor", "haproxy", "keeper")
ORDERS = [*itertools.permutations(PARTS)]


@dataclass
class House:
    court: Court
    place: Path
    port: int
    writes: int = 0

    def pid(self, part: str) -> int:
        """Of a part; the monitor is that of the service `victim`."""
        if part == "control":
            return control(self.court.home)
        if part == "haproxy":
            return serving(self.court.home)
        if part == "keeper":
            return keeper(self.court.home)
        return int(self.running("victim")["monitorPid"])

    def running(self, service: str) -> dict[str, int]:
        """The newest record of a service's one container, found without asking anybody."""
        logs = {path.name.rpartition("_")[2] for path in (self.court.home / "logs").glob(f"*_{service}-*")}
        found = [path for uid in logs for path in (self.court.home / "pods" / uid).rglob("running.json")]
        newest = max(found, key=lambda path: path.stat().st_mtime)
        return dict(json.loads(newest.read_bytes()))

    def write(self) -> str:
        """One write, acknowledged."""
        self.writes += 1
        name = f"w{self.writes}"
        asyncio.run(self._ask(lambda api: api.create("configmaps", configmap(name), namespace="default")))
        return name

    def has(self, name: str) -> bool:
        return bool(asyncio.run(self._ask(lambda api: api.get("configmaps", "default", name))))

    async def _ask(self, question: Callable[[RemoteApi], Awaitable[Any]]) -> Any:
        api = RemoteApi.over_unix(self.court.home / "run" / "api.sock")
        try:
            return await question(api)
        finally:
            await api.close()

    def up(self) -> None:
        self.court.run("up", "--detach", cwd=self.place)

    def untouched(self) -> set[tuple[int, int]]:
        """The processes of the services that nobody strikes."""
        return {pid for pid, path in started(self.court.home).items() if self.running("web")["id"][:36] in path}  # type: ignore[index]


def configmap(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("killed")
    port = free_port()
    with courtyard(place / "m") as court:
        write_app(place, f'web: {{build: ./program, ports: ["{port}:8000"]}}\nvictim: {{build: ./program}}')
        made = House(court, place, port)
        made.up()
        yield made
        id = id_of(court.home)
        court.run("down")
        assert traces(id, court.home) == []


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_in_every_order(house: House, order: tuple[str, ...]) -> None:
    name, before = house.write(), house.untouched()
    assert len(before) == 2
    pids = [house.pid(part) for part in order]
    for pid in pids:
        kill(pid)
        sleep(0.05)  # so that the others notice, or not yet
    healed(house, name, before)


def test_all_at_once(house: House) -> None:
    name, before = house.write(), house.untouched()
    pids = [house.pid(part) for part in PARTS]
    for pid in pids:
        kill(pid)
    healed(house, name, before)


def healed(house: House, name: str, before: set[tuple[int, int]]) -> None:
    house.up()
    assert house.has(name), "an acknowledged write is lost"
    assert house.untouched() == before, "who was not struck was restarted"
    assert answers(house.port) == "version 1"
    victim = house.running("victim")
    assert victim["monitorPid"] in {pid for pid, _ in started(house.court.home)}


def answers(port: int) -> str:
    """At the latest when the way in is back."""
    deadline = monotonic() + 20
    while True:
        try:
            return get(port)
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.05)


def test_how_programs_ended_meanwhile(court: Court, tmp_path: Path) -> None:
    """With the control dead: one by its own exit code, one by a signal, one whose monitor was killed too."""
    manifest = {"apiVersion": "v1", "kind": "List", "items": [waits("code", 3), waits("signal", 0), waits("lost", 0)]}
    court.run("up", "--detach", cwd=tmp_path)
    court.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    court.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", "default", "--timeout=30s")
    records = {
        json.loads(path.read_bytes())["id"][:36]: json.loads(path.read_bytes())
        for path in (court.home / "pods").rglob("running.json")
    }
    pods = json.loads(court.kubectl("get", "pods", "-n", "default", "-o", "json"))["items"]
    running = {pod["metadata"]["name"]: records[pod["metadata"]["uid"]] for pod in pods}
    kill(control(court.home))
    os.kill(running["code"]["pid"], 15)
    kill(running["signal"]["pid"])
    kill(running["lost"]["monitorPid"])
    deadline = monotonic() + 20
    while len(started(court.home)) > 0 and monotonic() < deadline:
        sleep(0.01)
    court.run("up", "--detach", cwd=tmp_path)
    told = {name: ended(court, name) for name in running}
    assert told == {"code": (3, "Error"), "signal": (137, "Error"), "lost": (137, "Error")}


def waits(name: str, code: int) -> dict[str, object]:
    program = f"trap 'exit {code}' TERM; while :; do sleep 0.05; done"
    container = {"name": "main", "image": "madang.dev/host", "command": ["sh", "-c", program]}
    spec = {"restartPolicy": "Never", "containers": [container], "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def ended(court: Court, name: str) -> tuple[int, str]:
    court.kubectl("wait", "--for=jsonpath={.status.phase}=Failed", f"pod/{name}", "-n", "default", "--timeout=20s")
    pod = json.loads(court.kubectl("get", "pod", name, "-n", "default", "-o", "json"))
    state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return state["exitCode"], state["reason"]


@pytest.mark.parametrize("number", FORMATS, ids=lambda number: f"v{number}")
def test_a_state_folder_of_an_earlier_madang_comes_up(number: int, court: Court, tmp_path: Path) -> None:
    court.root.mkdir()
    shutil.move(unpack(number, tmp_path), court.home)
    court.run("up", "--detach", cwd=tmp_path)
    court.kubectl("-n", "kept", "rollout", "status", "deployment/web", "--timeout=60s")
    restarts = court.kubectl("get", "pods", "-n", "kept", "-l", "app=web", "-o", "jsonpath={..restartCount}")
    assert restarts == "1 1", "what ran then does not run now, and is started again"
    last = "jsonpath={..lastState.terminated.exitCode}"
    assert court.kubectl("get", "pods", "-n", "kept", "-l", "app=web", "-o", last) == "137 137"
    assert "마당" in court.kubectl("get", "configmap", "words", "-n", "kept", "-o", "yaml")


@pytest.fixture
def own_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "m"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system of its own cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_state_folder(own_disk: Path, court: Court, tmp_path: Path) -> None:
    """A start says so and leaves nothing begun; all is there again when it can be written."""
    port = free_port()
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    court.run("up", "--detach", cwd=tmp_path)
    id = id_of(court.home)
    court.run("down")
    remount(own_disk, "ro")
    try:
        up = court.run("up", "--detach", cwd=tmp_path, ok=False)
        assert up.returncode == 1 and "Read-only file system" in up.stderr and "Traceback" not in up.stderr
        assert traces(id, court.home) == []
    finally:
        remount(own_disk, "rw")
    court.run("up", "--detach", cwd=tmp_path)
    assert get(port) == "version 1"


def remount(place: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(place)], check=True)
