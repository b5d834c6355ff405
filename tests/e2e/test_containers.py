"""Pods in containers, in a real courtyard: what they see, that they outlive who watches them, what they leave."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Court, courtyard
from tests.e2e.images import TINY, bring
from tests.e2e.traces import control

pytestmark = pytest.mark.e2e

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


def test_cycles_leave_nothing_on_the_machine(court: Court) -> None:
    def counted() -> tuple[int, int, int, int]:
        id = record(court)["id"]
        groups = sum(f"madang-{id}/" in path for path, _, _ in os.walk("/sys/fs/cgroup"))
        mounts = Path(f"/proc/{control(court.home)}/mountinfo").read_text().count(str(id))
        folders = len(list((court.home / "pods").iterdir()))
        links = sum(name.startswith(f"md{id}") for name in os.listdir("/sys/class/net"))
        return groups, mounts, folders, links

    plain = {"containers": [{"name": "c", "image": TINY}], "initContainers": [], "volumes": []}
    there = set((court.home / "pods").glob("*"))
    made(court, "warm", **plain)
    gone(court, "warm")
    until(lambda: set((court.home / "pods").glob("*")) <= there, "the folder of the pod that is gone goes, too")
    before = counted()
    for number in range(20):
        made(court, f"n{number}", **plain)
        if number % 4 == 3:
            os.kill(records(court, "c")["monitorPid"], signal.SIGKILL)
        gone(court, f"n{number}")
    until(lambda: counted() == before, f"as before: {before}")
