"""A container runtime that really works here, and a way to write launches; what is left over is swept and counted."""

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from madang.node.containers.spec import config
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor import record
from madang.node.runtimes.oci.machine import look
from madang.node.runtimes.oci.runtime import ContainerRuntime
from madang.node.runtimes.oci.users import Who
from madang.node.runtimes.runtime import Container, Launch
from tests.node.containers.made import pod, role
from tests.node.runtimes.oci import busybox

MakeContainer = Callable[..., Launch]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[ContainerRuntime]:
    host = HostRuntime(f"t{uuid.uuid4().hex[:8]}")
    found = ContainerRuntime(host.ground, tmp_path)
    ability = asyncio.run(found.probe())
    if not ability.works:
        host.close(sweep=True)
        pytest.skip(f"no container runtime works here: {ability.why_not}")
    yield found
    host.close(sweep=True)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    program = busybox.static()
    if program is None:
        pytest.skip("no static busybox to make an image of: install Debian's busybox-static")
    return busybox.layer(tmp_path / "layer", program)


@pytest.fixture
def container(tmp_path: Path, layer: Path, runtime: ContainerRuntime) -> Iterator[MakeContainer]:
    """What a test leaves running, because it fails say, is killed."""
    machine = look(runtime.cgroups.version if runtime.cgroups else 0)

    def make(
        script: str = "",
        *,
        id: str = "c-0",
        of: Any = None,
        who: Who | None = None,
        together: bool = False,
        **more: Any,
    ) -> Launch:
        of = of or pod()
        plain = Launch(
            id=f"{id}-{os.path.basename(tmp_path)}",
            folder=tmp_path / "starts" / id,
            argv=more.pop("argv", ["sh", "-c", script]),
            env={"PATH": "/bin", **more.pop("env", {})},
            cwd=more.pop("cwd", "/"),
            log=tmp_path / "logs" / id,
            hostname="p",
            **more,
        )
        document = config(of, role(of), plain, who or Who(), machine)
        return replace(plain, container=Container([layer], document, tmp_path / "ipc" if together else None))

    (tmp_path / "logs").mkdir()
    yield make
    for path in (tmp_path / "starts").rglob(record.RUNNING):
        kept = json.loads(path.read_text())
        if record.alive(kept.get("monitorPid", 0), kept.get("monitorTicks", 0)):
            os.kill(kept["monitorPid"], signal.SIGKILL)
            while record.alive(kept["monitorPid"], kept["monitorTicks"]):  # its cgroups are empty only then
                time.sleep(0.005)
