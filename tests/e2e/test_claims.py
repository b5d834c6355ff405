"""Claims in a real courtyard: a folder that outlives its pod, is written by the next, and goes with the claim."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Court

pytestmark = pytest.mark.e2e

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "kept"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def pod(name: str) -> dict[str, Any]:
    mount = [{"name": "d", "mountPath": "/data"}]
    script = 'cd "$DATA" && echo "$HOSTNAME" >> log && cat log'
    one = {"name": "c", "image": "madang.dev/host", "command": ["sh", "-c", script],
           "env": [{"name": "DATA", "value": "/data"}], "volumeMounts": mount}  # fmt: skip
    spec = {"restartPolicy": "Never", "containers": [one],
            "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "kept"}}]}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)
    return found


def test_a_claims_folder_outlives_its_pods_and_goes_with_the_claim(shared_court: Court) -> None:
    court = shared_court
    court.kubectl("apply", "-f", "-", stdin=json.dumps(pod("first")))  # first: it waits for the claim
    court.kubectl("apply", "-f", "-", stdin=json.dumps(CLAIM))
    court.kubectl("wait", "pod/first", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    name = court.kubectl("get", "pvc", "kept", "-o", "jsonpath={.spec.volumeName}")
    folder = court.home / "volumes" / "default" / name
    assert (folder / "log").read_text() == "first\n"
    court.kubectl("delete", "pod", "first")
    court.kubectl("apply", "-f", "-", stdin=json.dumps(pod("second")))
    court.kubectl("wait", "pod/second", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    assert court.kubectl("logs", "second") == "first\nsecond\n"
    court.kubectl("delete", "pvc", "kept", "--wait=false")
    assert "Terminating" in court.kubectl("get", "pvc", "kept")  # a pod has it
    court.kubectl("delete", "pod", "second")
    until(lambda: "NotFound" in court.kubectl("get", "pv", name, ok=False), "the volume gone")
    assert not folder.exists()
