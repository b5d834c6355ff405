"""Addresses and ports of Services: given, asked for, refused, kept, free again."""

import asyncio
from typing import Any

import orjson
import pytest

from madang.ports.errors import Invalid
from tests.api.house import house


def service(name: str, **spec: Any) -> dict[str, Any]:
    ports = spec.pop("ports", [{"port": 80}])
    meta = {"name": name, "namespace": "default"}
    return {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": {"ports": ports, **spec}}


def test_addresses_are_unique_kept_and_refused_outside_the_range() -> None:
    async def main() -> None:
        async with house() as api:
            a, b = await asyncio.gather(*(api.create("services", service(name)) for name in "ab"))
            assert a.obj["spec"]["clusterIP"] != b.obj["spec"]["clusterIP"]
            kept = await api.update("services", service("a", ports=[{"port": 81}]))
            assert kept.obj["spec"]["clusterIP"] == a.obj["spec"]["clusterIP"]
            with pytest.raises(Invalid, match="not in the valid range"):
                await api.create("services", service("c", clusterIP="192.0.2.1"))
            with pytest.raises(Invalid, match="already allocated"):
                await api.create("services", service("c", clusterIP=a.obj["spec"]["clusterIP"]))
            await api.delete("services", "default", "a")
            again = await api.create("services", service("c", clusterIP=a.obj["spec"]["clusterIP"]))
            assert again.obj["spec"]["clusterIP"] == a.obj["spec"]["clusterIP"]
            headless = await api.create("services", service("h", clusterIP="None"))
            assert headless.obj["spec"]["clusterIPs"] == ["None"]

    asyncio.run(main())


def test_node_ports() -> None:
    async def main() -> None:
        async with house() as api:
            made = await api.create("services", service("a", type="NodePort"))
            number = made.obj["spec"]["ports"][0]["nodePort"]
            assert 30000 <= number <= 32767
            with pytest.raises(Invalid, match="provided port is already allocated"):
                await api.create("services", service("b", type="NodePort", ports=[{"port": 1, "nodePort": number}]))
            plain = await api.create("services", service("c"))
            assert "nodePort" not in plain.obj["spec"]["ports"][0]

    asyncio.run(main())


def test_on_loopback_every_service_port_has_a_number_of_its_own() -> None:
    async def main() -> None:
        async with house("loopback") as api:
            made = await api.create(
                "services", service("a", ports=[{"name": "x", "port": 80}, {"name": "y", "port": 81}])
            )
            ports = orjson.loads(made.obj["metadata"]["annotations"]["madang.dev/ports"])
            assert sorted(ports) == ["80/TCP", "81/TCP"] and len(set(ports.values())) == 2
            changed = await api.update("services", service("a", ports=[{"name": "y", "port": 81}]))
            assert orjson.loads(changed.obj["metadata"]["annotations"]["madang.dev/ports"]) == {
                "81/TCP": ports["81/TCP"]
            }

    asyncio.run(main())
