"""Keeps a state folder of today's format: `python -m tests.store.formats.keep`, before the format is changed.

In: nothing; a real courtyard is started, used a little, killed with -9, and taken down after. Out: `vN/state.tar.gz`,
the folder as the killed control left it: state, monitors' records of what runs and of what has ended, addresses, the
keeper's record. Keys are left out.
"""

import json
import tarfile
import tempfile
import time
from pathlib import Path

from madang.store.sqlite import SCHEMA
from tests.e2e.conftest import Court, courtyard
from tests.e2e.traces import control, kill

SERVES = """
import http.server, os
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer((os.environ.get("HOST", ""), 8000), handler).serve_forever()
"""
MANIFESTS = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}},
    {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words", "namespace": "kept"},
        "data": {"word": "마당"},
    },
    {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret", "namespace": "kept"},
        "stringData": {"password": "of a test"},
    },
    {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "kept"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "terminationGracePeriodSeconds": 1, "volumes": [{"name": "data", "emptyDir": {}}],
                    "containers": [{
                        "name": "main", "image": "madang.dev/host", "command": ["python3", "-c", SERVES],
                        "ports": [{"containerPort": 8000}],
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }],
                },
            },
        },
    },
    {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "kept"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]},
    },
    {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "fails", "namespace": "kept"},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [
                {"name": "main", "image": "madang.dev/host", "command": ["sh", "-c", "exit 7"]},
            ]}},
        },
    },
]  # fmt: skip
LEFT_OUT = ("pki", "admin.token", "token", "kubeconfig", "logs", "lock", "gateway")


def main() -> None:
    with tempfile.TemporaryDirectory() as root, courtyard(Path(root) / "m") as court:
        use(court)
        leave(court)
        target = Path(__file__).parent / f"v{SCHEMA}" / "state.tar.gz"
        target.parent.mkdir(exist_ok=True)
        with tarfile.open(target, "w:gz") as tar:
            tar.add(court.home, "home", filter=member)
    print(target, target.stat().st_size)


def use(court: Court) -> None:
    court.run("up", "--detach", "--nodes", "2", "--network", "loopback", cwd=court.root.parent)
    court.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": MANIFESTS}))
    court.kubectl("-n", "kept", "rollout", "status", "deployment/web", "--timeout=60s")
    court.kubectl("-n", "kept", "wait", "--for=condition=failed", "job/fails", "--timeout=60s")
    time.sleep(1)  # what is written a moment later


def leave(court: Court) -> None:
    """As a killed control leaves it: one program goes on, another has ended since, and its monitor has written how."""
    kill(control(court.home))
    path = next((court.home / "pods").rglob("running.json"))
    kill(int(json.loads(path.read_bytes())["pid"]))
    while not path.with_name("exit.json").exists():
        time.sleep(0.01)


def member(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """No keys, no sockets, nobody's name."""
    if info.name.rpartition("/")[2] in LEFT_OUT or not (info.isreg() or info.isdir()):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    main()
