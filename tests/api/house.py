"""An API over a memory store on a clock that tests move: the smallest house in which every verb works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from madang.api.always import ensure
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.settings import Addresses, Settings
from madang.store.memory import memory_store


def settings(home: Path = Path("/nonexistent"), network: str = "bridge") -> Settings:
    addresses = Addresses(
        network=network,  # type: ignore[arg-type]
        pod_cidr="10.244.0.0/16",
        service_cidr="10.96.0.0/16",
        gateway_ip="10.244.0.1",
        port_base=23000,
        port_count=1000,
    )
    return Settings(name="test", id="t1", home=home, addresses=addresses)


@asynccontextmanager
async def house(network: str = "bridge", home: Path = Path("/nonexistent")) -> AsyncIterator[DirectApi]:
    index, clock = Index(), SystemClock()
    store = memory_store(index.terms, clock)
    api = DirectApi(store, index, clock, SystemChance(1), settings(home, network))
    api.desk.ca_pem = "-----BEGIN CERTIFICATE-----\n"
    await ensure(api.desk, "127.0.0.1", 6443)
    try:
        yield api
    finally:
        await store.close()


def config_map(name: str, namespace: str = "default", **data: str) -> dict[str, Any]:
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace},
        **({"data": data} if data else {}),
    }


def pod(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }
