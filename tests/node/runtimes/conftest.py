"""A host runtime under each wall that this machine allows, and a way to write launches; everything is swept after."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from madang.node.runtimes import confinement
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor import record
from madang.node.runtimes.runtime import Launch
from tests.node.runtimes.launching import WALLS, MakeLaunch


@pytest.fixture(params=["namespaces", "mount namespace", "none"])
def runtime(request: pytest.FixtureRequest) -> Iterator[HostRuntime]:
    yield from made(WALLS[request.param])


@pytest.fixture
def confined() -> Iterator[HostRuntime]:
    """With the best walls there are."""
    yield from made(None)


def made(walls: confinement.Walls | None) -> Iterator[HostRuntime]:
    runtime = HostRuntime(f"t{uuid.uuid4().hex[:8]}", walls=walls)
    if walls is not None and walls is not confinement.NONE:
        fault = asyncio.run(runtime.ground.attempt(walls.confinement))
        if fault:
            runtime.close(sweep=True)
            pytest.skip(f"this machine allows no {walls.name}: {fault}")
    groups = runtime.ground.cgroups
    yield runtime
    runtime.ground.cgroups = groups
    runtime.close(sweep=True)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[MakeLaunch]:
    """What a test leaves running, because it fails say, is killed."""
    source = tmp_path / "source"
    source.mkdir()

    def make(script: str = "", *, id: str = "c-0", argv: list[str] | None = None, **more: Any) -> Launch:
        return Launch(
            id=f"{id}-{os.path.basename(tmp_path)}",
            folder=tmp_path / "starts" / id,
            argv=argv if argv is not None else ["sh", "-c", script],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **more.pop("env", {})},
            cwd=more.pop("cwd", str(source)),
            log=tmp_path / "logs" / id,
            **more,
        )

    yield make
    for path in (tmp_path / "starts").rglob(record.RUNNING):
        kept = json.loads(path.read_text())
        if record.alive(kept.get("monitorPid", 0), kept.get("monitorTicks", 0)):
            os.kill(kept["monitorPid"], signal.SIGKILL)
