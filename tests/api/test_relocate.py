"""Another start on other ground: every Service has addresses and ports of today, and loses nothing else."""

import asyncio
import ipaddress
from dataclasses import replace
from typing import Any

import orjson
import pytest

from madang.api.admit.services import PORTS
from madang.api.always import ensure
from madang.ports.settings import Addresses
from tests.api.house import house
from tests.api.test_services import service

BRIDGE = Addresses("bridge", "10.9.0.0/24", "10.9.1.0/24", "10.9.0.1", "md-x")
LOOPBACK = Addresses("loopback", "127.9.0.0/24", "127.9.1.0/24", "127.9.0.1", "", 26000, 100)


@pytest.mark.parametrize(("before", "after"), [("bridge", LOOPBACK), ("loopback", BRIDGE), ("bridge", BRIDGE)])
def test_services_move_with_the_ground(before: str, after: Addresses) -> None:
    async def main() -> None:
        async with house(before) as api:
            for name in "abc":
                await api.create(
                    "services", service(name, ports=[{"name": "x", "port": 80}, {"name": "y", "port": 81}])
                )
            await api.create("services", service("h", clusterIP="None"))
            api.desk.settings = replace(api.desk.settings, addresses=after)
            await ensure(api.desk, "127.0.0.1", 6443)
            found = {e.key.name: e.obj for e in (await api.list("services")).entries}
            addresses = [one["spec"]["clusterIP"] for one in found.values() if one["spec"]["clusterIP"] != "None"]
            assert len(set(addresses)) == len(addresses) == 4
            assert all(ipaddress.ip_address(a) in ipaddress.ip_network(after.service_cidr) for a in addresses)
            assert found["kubernetes"]["spec"]["clusterIP"] == str(
                ipaddress.ip_network(after.service_cidr).network_address + 1
            )
            assert found["h"]["spec"]["clusterIPs"] == ["None"]
            numbers = [n for one in found.values() for n in ports_of(one)]
            if after.network == "loopback":
                assert len(set(numbers)) == len(numbers) >= 7
                assert all(26000 <= n < 26100 for n in numbers)
            else:
                assert numbers == []
            again = {e.key.name: e.revision for e in (await api.list("services")).entries}
            await ensure(api.desk, "127.0.0.1", 6443)
            assert again == {e.key.name: e.revision for e in (await api.list("services")).entries}

    asyncio.run(main())


def ports_of(one: Any) -> list[int]:
    return list(orjson.loads((one["metadata"].get("annotations") or {}).get(PORTS, "{}")).values())
