"""The API's rates: durable creates through `api`, and creates and gets over HTTPS with wrk as the client.

In: nothing but a temporary folder on this disk. Out: a table, with the figures that a Kubernetes v1.36 API server
reached on such a machine beside ours.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COUNT, TOGETHER = 10_000, 32
POST = """
local n = 0
local body = [[%s]]
function setup(thread) thread:set("id", math.random(1, 1e9)) end
request = function()
  n = n + 1
  return wrk.format("POST", "/api/v1/namespaces/default/configmaps",
    {["Authorization"]="Bearer %s", ["Content-Type"]="application/json"},
    (body:gsub("NAME", "c" .. id .. "-" .. n, 1)))
end
"""
GET = """
request = function()
  return wrk.format("GET", "/api/v1/namespaces/default/configmaps/one", {["Authorization"]="Bearer %s"})
end
"""


def config_map(name: str) -> dict[str, Any]:
    """1.2 kB as JSON."""
    labels = {"app": "bench", "app.kubernetes.io/part-of": "shop", "tier": "backend"}
    data = {f"key-{i:02d}": "value-" + "x" * 64 for i in range(11)}
    meta = {"name": name, "namespace": "default", "labels": labels}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": data}


async def _open(home: Path) -> Any:
    from madang.api.always import ensure
    from madang.api.direct import DirectApi
    from madang.api.index import Index
    from madang.ports.chance import SystemChance
    from madang.ports.clock import SystemClock
    from madang.ports.settings import Addresses, Settings
    from madang.store.durable import open_store

    os.makedirs(home, exist_ok=True)
    index, clock = Index(), SystemClock()
    store = await open_store(home / "state.db", index.terms, clock)
    addresses = Addresses("loopback", "127.64.0.0/16", "127.65.0.0/16", "127.0.0.1", port_base=20000, port_count=500)
    api = DirectApi(store, index, clock, SystemChance(), Settings("bench", "bench", home, addresses))
    await ensure(api.desk, "127.0.0.1", 6443)
    return api


async def direct(home: Path) -> tuple[float, float]:
    """Creates a second, 32 at a time, each acknowledged only when it is on disk; CPU microseconds a create."""
    import orjson

    from madang.api import create
    from madang.api.direct import ADMIN
    from madang.api.resources import resource
    from madang.ports.api import WriteOptions

    api = await _open(home)
    bodies = iter([orjson.dumps(config_map(f"c-{i}")) for i in range(COUNT)])
    options, found = WriteOptions(field_manager="bench"), resource("configmaps")

    async def worker() -> None:
        for body in bodies:
            await create.create(api.desk, ADMIN, found, "default", body, options)

    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(TOGETHER)))
    took, used = time.perf_counter() - start, time.process_time() - cpu
    await api.desk.store.close()
    return COUNT / took, used / COUNT * 1e6


async def _doors(home: Path) -> None:
    """In a process of its own: serves until it is ended."""
    from madang.api.direct import ADMIN
    from madang.wire.serve import serve

    api = await _open(home)
    await api.as_(ADMIN).create("configmaps", config_map("one"))
    async with serve(api) as door:
        print(door.url, door.token, flush=True)
        await asyncio.Event().wait()


def over_https(home: Path, seconds: int = 5) -> dict[str, float]:
    """Requests a second by what is asked, wrk and HAProxy on the same cores."""
    if shutil.which("wrk") is None:
        return {}
    import orjson

    command = [sys.executable, "-m", "bench.api", "serve", str(home)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            url, token = server.stdout.readline().split()
            body = orjson.dumps(config_map("NAME")).decode()
            scripts = {"POST": (POST % (body, token), 16), "GET": (GET % token, 32)}
            return {name: _wrk(home, url, text, connections, seconds) for name, (text, connections) in scripts.items()}
        finally:
            server.terminate()


def _wrk(home: Path, url: str, script: str, connections: int, seconds: int) -> float:
    path = home / "wrk.lua"
    path.write_text(script)
    said = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "-s", str(path), url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in said:
        print(said)
    return float(next(line for line in said.splitlines() if line.startswith("Requests/sec")).split()[1])


def _loop() -> Any:
    import uvloop

    return uvloop.new_event_loop()


def main() -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        rates = []
        for i in range(3):
            with asyncio.Runner(loop_factory=_loop) as runner:
                rates.append(runner.run(direct(Path(folder) / f"d{i}")))
        served = over_https(Path(folder) / "h")
    rate, used = (statistics.median(column) for column in zip(*rates, strict=True))
    print(f"{'durable creates through api, 32 at a time':50} {rate:8.0f} /s   at least 5000")
    print(f"{'  the CPU of one (both threads)':50} {used:8.0f} us")
    print(
        f"{'creates over HTTPS, 1.2 kB, 16 connections':50} {served.get('POST', 0):8.0f} /s   at least 2500, peer 1025"
    )
    print(f"{'gets over HTTPS, 32 connections':50} {served.get('GET', 0):8.0f} /s   at least 5000, peer 2009")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        with asyncio.Runner(loop_factory=_loop) as only:
            only.run(_doors(Path(sys.argv[2])))
    else:
        main()
