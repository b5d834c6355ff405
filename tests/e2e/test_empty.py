"""A courtyard without an application: up, status, down; two at once; a name that is wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Court

pytestmark = pytest.mark.e2e
NEVER_READY = """
apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: madang.dev/host, command: [sleep, "60"], readinessProbe: {exec: {command: ["false"]}}}
"""


def test_up_status_down(court: Court, tmp_path: Path) -> None:
    up = court.run("up", "--detach", cwd=tmp_path)
    assert "ready after" in up.stdout
    status = court.json("status")
    assert status["running"] and {"api", "gateway"} <= set(status["addresses"])
    assert [n["ready"] for n in status["nodes"]] == [True]
    assert {a["name"] for a in status["machine"]["abilities"]} >= {"host", "bridge", "loopback"}
    assert os.stat(court.run("kubeconfig").stdout.strip()).st_mode & 0o777 == 0o600
    assert "default" in court.kubectl("get", "namespaces")
    court.run("down")
    assert court.run("status", ok=False).returncode == 1
    left = {p.name for p in (court.home / "run").iterdir()} - {"lock", "gateway.log"}
    assert not left, f"left behind in run/: {left}"


def test_two_up_at_once(court: Court, tmp_path: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "madang.cli", "up", "--detach", "--output", "json"],
            env=court.env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said


def test_interrupted_before_all_is_ready(court: Court, tmp_path: Path) -> None:
    """The foreground: Ctrl-C stops everything also while something is still starting."""
    (tmp_path / "pod.yaml").write_text(NEVER_READY)
    up = subprocess.Popen(
        [sys.executable, "-m", "madang.cli", "up", "pod.yaml"],
        env=court.env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while not court.run("kubectl", "get", "pod", "slow", ok=False).stdout:
        assert up.poll() is None
    up.send_signal(signal.SIGINT)
    said, _ = up.communicate(timeout=60)
    assert up.returncode == 130 and "is down" in said
    assert court.run("status", ok=False).returncode == 1


def test_what_is_set_at_the_start_is_not_ignored_later(court: Court, tmp_path: Path) -> None:
    court.run("up", "--detach", "--nodes", "2", cwd=tmp_path)
    assert len(court.json("status")["nodes"]) == 2
    again = court.run("up", "--detach", "--nodes", "3", cwd=tmp_path, ok=False)
    assert again.returncode == 1 and "runs with --nodes 2" in again.stderr


def test_a_state_of_a_newer_version_is_refused(court: Court, tmp_path: Path) -> None:
    import sqlite3

    court.run("up", "--detach", cwd=tmp_path)
    court.run("down")
    with sqlite3.connect(court.home / "state.db") as rows:
        rows.execute("PRAGMA user_version = 9999")
    rows.close()
    refused = court.run("up", "--detach", cwd=tmp_path, ok=False)
    assert refused.returncode == 1 and "state.db" in refused.stderr and "newer" in refused.stderr
    assert "Traceback" not in refused.stderr
