"""What the tests of containers share: pods, machines, a launch as a value."""

from pathlib import Path
from typing import Any

from madang.node.pod.spec import Role
from madang.node.runtimes.oci.machine import CAPABILITIES, Machine
from madang.node.runtimes.runtime import Launch
from madang.ports.objects import Obj

POOR = Machine(capabilities=tuple(c for c in CAPABILITIES if c != "CAP_SYS_RESOURCE"), cgroup=1, oom_score_least=0)


def pod(container: Obj | None = None, **body: Any) -> Obj:
    mine = {"name": "c", "image": "i", **(container or {})}
    return {
        "metadata": {"name": "p", "namespace": "default", "uid": "u-1"},
        "spec": {"containers": [mine], **body},
    }


def role(of: Obj) -> Role:
    return Role("main", of["spec"]["containers"][0])


def launch(**more: Any) -> Launch:
    given: dict[str, Any] = {
        "id": "u-1-c-0",
        "folder": Path("/home/pods/u-1/containers/c/0"),
        "argv": ("redis-server", "--port", "7"),
        "env": {"PATH": "/bin", "A": "b=c"},
        "cwd": "/data",
        "log": Path("/logs/0.log"),
        "hostname": "p",
        "netns": "/run/madang/netns/id/u-1",
    }
    return Launch(**{**given, **more})
