"""What the network changes in a Compose file's objects."""

import asyncio
from pathlib import Path
from typing import Any

from madang import app
from madang.app.machine import Machine, fit
from tests.api.house import house
from tests.app.compose.project_files import application, find

TEXT = "services: {a: {image: madang.dev/host, command: x, extra_hosts: ['h:host-gateway', 'i:1.2.3.4']}}"
ALIASES = [{"ip": "host-gateway", "hostnames": ["h"]}, {"ip": "1.2.3.4", "hostnames": ["i"]}]


def pod(obj: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = obj["spec"]["template"]["spec"]
    return spec


def test_pure(tmp_path: Path) -> None:
    wanted = find(application(tmp_path, TEXT), "Deployment", "a")
    assert pod(wanted)["hostAliases"] == ALIASES
    bridge = pod(fit(wanted, Machine(False, "10.1.0.1")))
    assert bridge["enableServiceLinks"] is False and bridge["hostAliases"][0]["ip"] == "10.1.0.1"
    loopback = pod(fit(wanted, Machine(True)))
    assert "enableServiceLinks" not in loopback and loopback["hostAliases"][0]["ip"] == "127.0.0.1"
    manifest = {"kind": "Deployment", "metadata": {"name": "m"}, "spec": {"template": {"spec": {"containers": []}}}}
    assert fit(manifest, Machine(False)) == manifest, "a manifest says what it wants itself"


def test_asked_of_the_running_courtyard(tmp_path: Path) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    addresses = {"status": {"addresses": [{"type": "InternalIP", "address": "10.9.0.1"}]}}

    async def main() -> None:
        async with house() as api:
            await api.create("nodes", node)
            await api.patch("nodes", "", "n", addresses, subresource="status")
            await app.apply(api, application(tmp_path, TEXT))
            made = pod(await api.get("deployments.apps", "p", "a"))
            assert made["enableServiceLinks"] is False
            assert {"ip": "10.9.0.1", "hostnames": ["h"]} in made["hostAliases"]

    asyncio.run(main())
