"""`madang up` that stays: what it shows of an application that runs already, and of what it starts itself."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Court

pytestmark = pytest.mark.e2e
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: madang.dev/host
    command: [sh, -c, "echo first of {name}; while :; do echo more of {name}; sleep 0.2; done"]
"""


@contextmanager
def staying(court: Court, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    up = subprocess.Popen(
        [sys.executable, "-m", "madang.cli", "up", "pods.yaml"],
        env=court.env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield up
    finally:
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)
        assert "is down" in said


def heard(up: "subprocess.Popen[str]", *wanted: str) -> str:
    """All that it says until the last of what is wanted."""
    assert up.stdout is not None
    said = ""
    for line in up.stdout:
        said += line
        if all(word in said for word in wanted):
            break
    return said


def test_only_what_is_said_from_now_on_is_shown(court: Court, tmp_path: Path) -> None:
    (tmp_path / "pods.yaml").write_text(POD.format(name="old"))
    court.run("up", "--detach", "pods.yaml", cwd=tmp_path)
    while "more of old" not in court.kubectl("logs", "old"):
        pass
    (tmp_path / "pods.yaml").write_text(POD.format(name="old") + "---" + POD.format(name="new"))
    with staying(court, tmp_path) as up:
        said = heard(up, "more of old", "first of new")
    assert "first of old" not in said
