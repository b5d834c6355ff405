"""What a person reads of the machine."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import yaml

from madang.cli import status
from madang.cli.courtyards import Courtyard
from madang.cli.status import machine
from madang.ports.api import Api, Page


def test_what_the_machine_allows_with_its_limits_and_why_not() -> None:
    host = {"name": "host", "works": True, "why_not": "", "details": {"limits": "memory watched (no cgroup)"}}
    bridge = {"name": "bridge", "works": False, "why_not": "needs root [or rights]", "details": {}}
    assert machine([host, bridge]) == [
        ["host", "[green]yes[/]", "programs from their source"],
        ["  limits", "", "memory watched (no cgroup)"],
        ["bridge", "no", r"needs root \[or rights]"],
    ]


def test_every_key_for_scripts_is_spelled_the_same_way(tmp_path: Path) -> None:
    class Empty:
        async def list(self, *_: object) -> Page:
            return Page(entries=[], revision="1")

    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump({"contexts": [{"name": "c", "context": {}}], "current-context": "c"}))
    court = SimpleNamespace(name="c", home=tmp_path, kubeconfig=kubeconfig, record={"pid": os.getpid()})
    found = asyncio.run(status.gather(cast(Api, Empty()), cast(Courtyard, court)))
    assert "too_large_to_retry" in found
    assert [key for key in found if key != key.lower()] == []
