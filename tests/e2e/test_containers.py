"""Pods in containers, in a real courtyard: what they see, that they outlive who watches them, what they leave."""

import base64
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from madang.node.networks import namespaces
from tests.e2e.conftest import Court, courtyard
from tests.e2e.images import TINY, bring
from tests.e2e.test_registry import HTPASSWD, Make, registry
from tests.e2e.traces import control

pytestmark = pytest.mark.e2e
__all__ = ["registry"]  # a fixture

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "tiny"},
    "spec": {
        "terminationGracePeriodSeconds": 600,  # who does not hear the image's own stop signal holds a test up
        "initContainers": [
            {
                "name": "first",
                "image": TINY,
                "args": ["id -u > /v/first"],
                "securityContext": {"runAsUser": 7},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            },
            {"name": "beside", "image": TINY, "restartPolicy": "Always"},
        ],
        "containers": [
            {
                "name": "c",
                "image": TINY,
                "readinessProbe": {"exec": {"command": ["cat", "/v/first"]}},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}
RUN = "echo up; trap 'exit 0' INT; while :; do sleep 0.05; done"


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    root = tmp_path_factory.mktemp("court")
    if not (shutil.which("runc") or shutil.which("crun")):
        pytest.skip("containers need runc or crun")
    with courtyard(root / "m") as made:
        bring(
            made.home, root, Entrypoint=["sh", "-c"], Cmd=[RUN], User="web", WorkingDir="/var/www", StopSignal="SIGINT"
        )
        made.run("up", "--detach", cwd=root)
        able = {a["name"]: a for a in record(made)["machine"]["abilities"]}["container"]
        if not able["works"]:
            pytest.skip(f"containers do not work here: {able['why_not']}")
        yield made
    assert str(root) not in Path("/proc/self/mountinfo").read_text()


def record(court: Court) -> Any:
    return json.loads((court.home / "run" / "courtyard.json").read_text())


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
    return found


def status(court: Court, name: str) -> Any:
    return json.loads(court.kubectl("get", "pod", name, "-o", "json"))["status"]


def ready(court: Court, name: str = "tiny") -> Any:
    def look() -> Any:
        found = status(court, name)
        return found if all(c["ready"] for c in found.get("containerStatuses") or [{"ready": False}]) else None

    return until(look, f"{name} ready")


def made(court: Court, name: str = "tiny", **spec: Any) -> Any:
    body = {**POD, "metadata": {"name": name}, "spec": {**POD["spec"], **spec}}
    court.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    return ready(court, name)


def gone(court: Court, name: str = "tiny") -> None:
    court.kubectl("delete", "pod", name, "--wait")
    until(lambda: not list((court.home / "pods").glob("*/containers")), "no folder left")


def records(court: Court, container: str) -> Any:
    found = list((court.home / "pods").glob(f"*/containers/{container}/*/running.json"))
    return json.loads(max(found, key=lambda path: path.stat().st_mtime).read_text())


def test_a_pod_runs_in_containers_and_its_programs_see_the_image(court: Court) -> None:
    found = made(court)
    assert found["containerStatuses"][0]["imageID"].startswith("sha256:")
    assert "up" in court.kubectl("logs", "tiny", "-c", "c")
    spaces = {os.readlink(f"/proc/{records(court, name)['pid']}/ns/ipc") for name in ("c", "beside")}
    told = court.kubectl("exec", "tiny", "-c", "c", "--", "busybox", "readlink", "/proc/self/ns/ipc")
    assert spaces == {told.strip()}, "they share one"
    seen = court.kubectl("exec", "tiny", "-c", "c", "--", "sh", "-c", "id -u; pwd; hostname; cat /v/first; echo $FROM")
    assert seen.split() == ["33", "/var/www", "tiny", "7", "image"]
    names = court.kubectl("exec", "tiny", "-c", "beside", "--", "sh", "-c", "cat /etc/hosts /etc/hostname; ls -a /")
    assert f"{found['podIP']}\ttiny" in names
    assert "kubernetes.default.svc" in names
    assert str(court.home) not in court.kubectl("exec", "tiny", "-c", "beside", "--", "ls", "/proc/self/root")
    assert court.kubectl("exec", "tiny", "-c", "beside", "--", "sh", "-c", "exit 9", ok=False).endswith("code 9\n")
    gone(court)


def test_it_outlives_the_control_process(court: Court) -> None:
    before = made(court)["containerStatuses"][0]
    os.kill(control(court.home), signal.SIGKILL)
    alive = records(court, "c")
    assert Path(f"/proc/{alive['pid']}").exists()
    court.run("up", "--detach", cwd=court.root.parent)
    after = ready(court)["containerStatuses"][0]
    assert (after["containerID"], after["restartCount"], after["imageID"]) == (
        before["containerID"], 0, before["imageID"]
    )  # fmt: skip
    assert court.kubectl("exec", "tiny", "-c", "c", "--", "cat", "/v/first").strip() == "7"
    os.kill(control(court.home), signal.SIGKILL)
    os.kill(alive["pid"], signal.SIGKILL)
    until(lambda: not Path(f"/proc/{alive['monitorPid']}").exists(), "its monitor has told how it ended")
    court.run("up", "--detach", cwd=court.root.parent)
    ended = until(lambda: status(court, "tiny")["containerStatuses"][0]["lastState"].get("terminated"), "told")
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")
    gone(court)


@pytest.mark.parametrize("part", ["pid", "monitorPid"])
def test_what_is_killed_comes_back(court: Court, part: str) -> None:
    made(court)
    os.kill(records(court, "c")[part], signal.SIGKILL)
    until(lambda: status(court, "tiny")["containerStatuses"][0]["restartCount"] == 1, "restarted")
    ended = ready(court)["containerStatuses"][0]["lastState"]["terminated"]
    assert ended["exitCode"] == 137
    gone(court)


def test_what_cannot_be_had_is_said_by_name(court: Court) -> None:
    def waiting(name: str, container: dict[str, Any], reason: str) -> str:
        body = {**POD, "metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": TINY, **container}]}}
        court.kubectl("apply", "-f", "-", stdin=json.dumps(body))

        def look() -> Any:
            states = status(court, name).get("containerStatuses") or [{"state": {}}]
            found = states[0]["state"].get("waiting") or {}
            return found.get("message") if found.get("reason") == reason else None

        text = until(look, f"{reason} of {name}")
        court.kubectl("delete", "pod", name, "--wait")
        return str(text)

    context = {"securityContext": {"capabilities": {"add": ["FLY"]}}}
    assert "unknown capability CAP_FLY" in waiting("flies", context, "CreateContainerConfigError")
    root = {"securityContext": {"runAsNonRoot": True}}
    assert "image has non-numeric user (web)" in waiting("root", root, "CreateContainerConfigError")


PLAIN: dict[str, Any] = {"containers": [{"name": "c", "image": TINY}], "initContainers": [], "volumes": []}
# Steps of a pod's start and of its end, by what shows on the disk below its folder. All of them: MADANG_FAULTS=all.
BEGINS = ("", "hosts", "containers/c/0/config.json", "containers/c/0/state", "containers/c/0/running.json")
ENDS = ("containers/c/0/exit.json", "containers/c/0")
ALL = os.environ.get("MADANG_FAULTS") == "all"
CYCLES = int(os.environ.get("MADANG_CYCLES", "10"))


def counted(court: Court) -> dict[str, int]:
    """Of everything that a pod takes from the machine, and of what the control holds for it."""
    id, pid = record(court)["id"], control(court.home)
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
    return {
        "cgroups": sum(f"madang-{id}/" in path for path, _, _ in os.walk("/sys/fs/cgroup")),
        "mounts": Path(f"/proc/{pid}/mountinfo").read_text().count(str(id)),
        "folders": len(list((court.home / "pods").glob("*"))),
        "links": sum(name.startswith(f"md{id}") for name in os.listdir("/sys/class/net")),
        "namespaces": sum(1 for _ in (namespaces.FOLDER / id).glob("*")),
        "rules": rules.count(id),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
    }


def settled(court: Court) -> dict[str, int]:
    """Counted once nothing changes: connections of the last command are still closed, unused threads end."""
    before = counted(court)
    while True:
        time.sleep(0.3)
        now = counted(court)
        if now == before:
            return now
        before = now


def kill_at(court: Court, step: Callable[[], bool]) -> threading.Thread:
    """The control, as soon as the step shows."""
    pid, deadline = control(court.home), time.monotonic() + 30

    def wait() -> None:
        while not step() and time.monotonic() < deadline:
            time.sleep(0.0005)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("step", BEGINS if ALL else BEGINS[2:3])
def test_the_control_is_killed_while_a_pod_starts(court: Court, step: str) -> None:
    there, pods = set((court.home / "pods").glob("*")), court.home / "pods"
    killing = kill_at(court, lambda: any((path / step).exists() for path in set(pods.glob("*")) - there))
    body = json.dumps({**POD, "metadata": {"name": "cut"}, "spec": {**POD["spec"], **PLAIN}})
    court.kubectl("apply", "-f", "-", stdin=body, ok=False)
    killing.join()
    court.run("up", "--detach", cwd=court.root.parent)
    assert ready(court, "cut")["containerStatuses"][0]["restartCount"] == 0
    gone(court, "cut")
    until(lambda: set(pods.glob("*")) <= there, "its folder goes, too")


@pytest.mark.parametrize("step", ENDS if ALL else ENDS[:1])
def test_the_control_is_killed_while_a_pod_ends(court: Court, step: str) -> None:
    there, pods = set((court.home / "pods").glob("*")), court.home / "pods"
    made(court, "cut", **PLAIN)
    (own,) = set(pods.glob("*")) - there
    killing = kill_at(court, lambda: (own / step).exists() == step.endswith(".json"))
    court.kubectl("delete", "pod", "cut", "--wait=false", ok=False)
    killing.join()
    court.run("up", "--detach", cwd=court.root.parent)
    until(lambda: "not found" in court.kubectl("get", "pod", "cut", ok=False), "it is gone")
    until(lambda: set(pods.glob("*")) <= there, "its folder goes, too")
    id = record(court)["id"]
    until(lambda: not any(f"madang-{id}/" in path for path, _, _ in os.walk("/sys/fs/cgroup")), "its cgroups, too")


@pytest.mark.timeout(600 if CYCLES > 100 else 120)
def test_what_is_not_here_is_pulled_as_its_secret_says(
    court: Court, registry: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    host = registry(f"auth: {{htpasswd: {{realm: us, path: {tmp_path}/htpasswd}}}}\n")
    far = f"{host}/far/tiny:1"
    auths = {"auths": {host: {"username": "me", "password": "secret"}}}
    (tmp_path / "config.json").write_text(json.dumps(auths))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for words in (("tag", TINY, far), ("push", far), ("rm", far)):
        court.run("image", *words)
    secret = base64.b64encode(json.dumps(auths).encode()).decode()
    body = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": secret}}
    named = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "far"}, **body}
    court.kubectl("apply", "-f", "-", stdin=json.dumps(named))
    plain = {"containers": [{"name": "c", "image": far}], "initContainers": [], "volumes": []}
    body = {**POD, "metadata": {"name": "nobody"}, "spec": plain}
    court.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    until(lambda: "answers 401" in str(status(court, "nobody")), "without its secret nothing is pulled")
    found = made(court, "far", imagePullSecrets=[{"name": "far"}], **plain)
    assert found["containerStatuses"][0]["imageID"].startswith("sha256:")
    told = court.kubectl("get", "events", "--field-selector", "involvedObject.name=far", "-o", "json")
    said = [event["message"] for event in json.loads(told)["items"] if event["reason"] == "Pulled"]
    assert len(said) == 1 and said[0].startswith(f'Successfully pulled image "{far}" in ')
    court.kubectl("delete", "pod", "nobody")
    gone(court, "far")


def test_cycles_leave_nothing_on_the_machine(court: Court) -> None:
    there = set((court.home / "pods").glob("*"))
    for name in ("warm", "warmer"):
        made(court, name, **PLAIN)
        gone(court, name)
    until(lambda: set((court.home / "pods").glob("*")) <= there, "the folder of the pod that is gone goes, too")
    before = settled(court)
    for number in range(CYCLES):
        made(court, f"n{number}", **PLAIN)
        if number % 4 == 3:
            os.kill(records(court, "c")["monitorPid"], signal.SIGKILL)
        gone(court, f"n{number}")
    until(lambda: not more(before, counted(court)), f"as before: {before}, after: {counted(court)}")
    if CYCLES > 100:
        print(f"{CYCLES} cycles: {before} before, {counted(court)} after")


def more(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Threads that wait for work may be as many as there are workers at all, whatever a test before has used."""
    return [name for name in before if after[name] > before[name]]
