"""Nodes with real processes: the host runtime, the loopback network, real probes, logs and exec."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from madang.api.always import ensure
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.node.agents import Agents
from madang.node.networks.loopback import LoopbackNetwork
from madang.node.runtimes.host import HostRuntime
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.program import HOST
from madang.ports.settings import Addresses, Settings
from madang.ports.streams import ExecOptions, LogOptions
from madang.store.memory import MemoryJournal, memory_store

SERVER = """
import http.server, os, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/ok' else 503); self.end_headers()
    def log_message(self, *a): pass
print('hello from', os.environ['HOSTNAME'], os.environ['GREETING'], flush=True)
http.server.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()
"""
PORT = 18431


@asynccontextmanager
async def house(home: Path, journal: MemoryJournal | None = None, *, leave: bool = True) -> AsyncIterator[Any]:
    clock, chance, index = SystemClock(), SystemChance(), Index()
    addresses = Addresses("loopback", "127.77.1.0/24", "127.77.2.0/24", "127.77.0.1", port_base=28000, port_count=50)
    settings = Settings("test", "t9", home, addresses)
    store = memory_store(index.terms, clock, journal=journal)
    api = DirectApi(store, index, clock, chance, settings)
    api.desk.ca_pem = "x\n"
    await ensure(api.desk, "127.0.0.1", 6443)
    network, runtime = LoopbackNetwork(addresses, home), HostRuntime("t9", limits=False)
    await runtime.probe()
    agents = Agents(api, {"host": runtime}, network, settings, clock, chance)
    task = asyncio.create_task(agents.run())
    await asyncio.sleep(0.05)
    try:
        yield SimpleNamespace(api=api, agents=agents, runtime=runtime)
        if leave:
            await agents.stop_everything()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        runtime.close()
        await store.close()


async def put(h: Any, spec: dict[str, Any]) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec}
    await h.api.create("pods", body, namespace="default")
    target = {"kind": "Node", "name": "node-1"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": target}
    await h.api.create("pods", binding, namespace="default", name="p", subresource="binding")


def pod(h: Any) -> dict[str, Any]:
    return h.api.view.get("pods", "default", "p") or {}


def container(h: Any) -> dict[str, Any]:
    return (pod(h).get("status", {}).get("containerStatuses") or [{}])[0]


async def until(holds: Any, what: str) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within 20 s: {what}")


def server(**more: Any) -> dict[str, Any]:
    return {
        "name": "c",
        "image": HOST,
        "command": [sys.executable, "-c", SERVER],
        "ports": [{"containerPort": PORT}],
        "env": [{"name": "GREETING", "value": "$(WORD)!"}],
        "envFrom": [{"configMapRef": {"name": "words"}}],
        **more,
    }


async def words(h: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"WORD": "annyeong"}}
    await h.api.create("configmaps", body, namespace="default")


@pytest.mark.skipif(sys.platform != "linux", reason="loopback addresses of one's own need Linux")
def test_a_server_from_start_to_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as h:
            await words(h)
            probe = {"httpGet": {"path": "/ok", "port": PORT}, "periodSeconds": 1}
            await put(h, {"containers": [server(readinessProbe=probe)], "terminationGracePeriodSeconds": 2})
            await until(lambda: container(h).get("ready"), "ready")
            streams = h.agents.streams
            text = b"".join([piece async for piece in streams.logs("default", "p", LogOptions())])
            assert text == b"hello from p annyeong!\n"
            process = await streams.exec("default", "p", ExecOptions(command=["sh", "-c", "echo $GREETING; exit 3"]))
            assert await process.read() == (1, b"annyeong!\n")
            assert await process.wait() == 3
            await process.close()
            tunnel = await streams.forward("default", "p", PORT)
            await tunnel.write(b"GET /ok HTTP/1.0\r\n\r\n")
            assert (await tunnel.read()).startswith(b"HTTP/1.0 200")
            await tunnel.close()
            following = asyncio.create_task(_all(streams.logs("default", "p", LogOptions(follow=True, tail_lines=1))))
            h.agents.samples.take()
            assert h.agents.samples.pod("default", "p").containers["c"].memory_bytes > 1_000_000
            await h.api.delete("pods", "default", "p")
            assert await following == b"hello from p annyeong!\n"
            await until(lambda: not pod(h), "gone")
            left = [tmp_path / "pods", tmp_path / "logs"]
            await until(lambda: not any(list(folder.iterdir()) for folder in left), "its folders gone")

    asyncio.run(story())


async def _all(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([p async for p in pieces])


@pytest.mark.skipif(sys.platform != "linux", reason="loopback addresses of one's own need Linux")
def test_a_new_control_process_adopts_what_runs(tmp_path: Path) -> None:
    journal = MemoryJournal()

    async def before() -> str:
        async with house(tmp_path, journal, leave=False) as h:
            await words(h)
            await put(h, {"containers": [server()]})
            await until(lambda: container(h).get("ready"), "ready by its open port")
            return str(container(h)["containerID"])

    async def after(id: str) -> None:
        async with house(tmp_path, journal) as h:
            await asyncio.sleep(0.3)
            assert container(h)["containerID"] == id
            assert container(h)["ready"]
            worker = h.agents.agents[0].worker("default", "p")
            await h.runtime.kill(worker.facts.of("c").running)
            await until(lambda: container(h).get("restartCount") == 1, "started anew")
            assert container(h)["lastState"]["terminated"]["exitCode"] == 137

    id = asyncio.run(before())
    asyncio.run(after(id))
