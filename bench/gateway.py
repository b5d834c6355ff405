"""The gateway: CPU a request against bare HAProxy by hand, what a killed instance costs, how fast changes arrive.

CPU is that of the HAProxy process alone, read from /proc around each round; rounds of all configurations take turns.
The load is wrk where it is installed (64 connections, 12-byte answers), else the kill figures only.
"""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.table import Measure, show
from madang.gateway.desired import Backend, Bind, Desired, Door, Frontend, Owner, Server
from madang.gateway.hand import Hand
from madang.gateway.tuning import Tuning
from madang.haproxy import admin, binary
from madang.ports.clock import SystemClock

OWNER = Owner("services", "default", "web")
ROUNDS, SECONDS, CONNECTIONS = 25, 1, 64
TICKS = os.sysconf("SC_CLK_TCK")

BY_HAND = """
global
    nbthread {threads}
defaults
    mode http
    timeout connect 3s
    timeout client 1h
    timeout server 1h
    option redispatch 1
    retries 3
frontend in
    bind 127.0.0.1:{port}
    {forward}
    default_backend web
backend web
    balance leastconn
    {retries}
    server one 127.0.0.1:{origin}
"""
# Retries cost by themselves: HAProxy keeps a copy of the whole buffer (16 kB) of each request that it may retry.
RETRIES = "retry-on conn-failure empty-response"
PEERS = (
    ("Service, declared HTTP", "by hand"),
    ("Service, declared HTTP", "by hand, retries"),
    ("Service, first bytes tell", "by hand, retries"),
    ("front door, 101 routes", "by hand, retries"),
)
ORIGIN = """
global
    nbthread 1
defaults
    mode http
    timeout client 1h
frontend in
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string "hello, world"
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@contextlib.contextmanager
def haproxy(folder: Path, name: str, text: str, port: int) -> Iterator[int]:
    path = folder / f"{name}.cfg"
    path.write_text(text)
    process = subprocess.Popen([binary.find(), "-db", "-q", "-f", path])
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.01)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def micros_a_request(pid: int, url: str) -> float:
    before = cpu_s(pid)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in", said)
    assert found, said
    assert "Non-2xx" not in said, said
    return (cpu_s(pid) - before) * 1e6 / int(found[1])


def desired(at: Bind, door: Bind, *servers: Server) -> Desired:
    rows = [(f"shop-{i}.localhost/api/v{j}/", "default:web:80") for i in range(20) for j in range(5)]
    rows += [("127.0.0.1/", "default:web:80")]
    return Desired(
        (Frontend("default:web:80", "http", (at,), "default:web:80"),),
        (Door("door", door, tuple(sorted(rows)), any_host=True),),
        (Backend("default:web:80", "http", servers),),
    )


async def cost(folder: Path) -> list[Measure]:
    origin, bare, bare_retry = free_port(), free_port(), free_port()
    at, door = Bind("127.0.0.1", free_port(), OWNER, ""), Bind("127.0.0.1", free_port(), OWNER, "")
    sniffed = Bind("127.0.0.1", free_port(), OWNER, "")
    hand = Hand(folder, folder / "run", binary.find(), SystemClock(), Tuning())
    server = Server("one", "127.0.0.1", origin)
    wanted = desired(at, door, server)
    wanted = replace(
        wanted,
        frontends=(*wanted.frontends, Frontend("sniff", "sniff", (sniffed,), "default:web:80")),
        backends=(*wanted.backends, Backend("default:web:80:tcp", "tcp", (server,))),
    )
    threads = Tuning().threads
    by_hand = BY_HAND.format(threads=threads, port=bare, origin=origin, forward="", retries="")
    retrying = BY_HAND.format(
        threads=threads, port=bare_retry, origin=origin, forward="option forwardfor", retries=RETRIES
    )
    with (
        haproxy(folder, "origin", ORIGIN.format(port=origin), origin),
        haproxy(folder, "bare", by_hand, bare) as bare_pid,
        haproxy(folder, "retry", retrying, bare_retry) as retry_pid,
    ):
        try:
            await hand.apply(wanted)
            places = {
                "by hand": (bare_pid, bare),
                "by hand, retries": (retry_pid, bare_retry),
                "Service, declared HTTP": (hand.worker_pid, at.port),
                "Service, first bytes tell": (hand.worker_pid, sniffed.port),
                "front door, 101 routes": (hand.worker_pid, door.port),
            }
            found: dict[str, list[float]] = {name: [] for name in places}
            for turn in range(ROUNDS):
                order = list(places)[turn % len(places) :] + list(places)[: turn % len(places)]
                for name in order:  # each comes first as often as the others
                    pid, port = places[name]
                    url = f"http://127.0.0.1:{port}/api"
                    found[name].append(await asyncio.to_thread(micros_a_request, pid, url))
        finally:
            await hand.stop(0.2)
    result = [Measure(f"CPU a request, {n}", v, "us") for n, v in found.items()]
    for name, peer in PEERS:
        goal = "1.1 x"
        ratios = [mine / its for mine, its in zip(found[name], found[peer], strict=True)]
        result.append(Measure(f"{name} / {peer}", ratios, "x", goal))
        result.append(Measure(f"{name} / {peer}, best rounds", [min(found[name]) / min(found[peer])], "x", goal))
    return result


INSTANCE = """
import asyncio, sys
NAME = sys.argv[1].encode()
async def serve(reader, writer):
    try:
        while True:
            await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 12\\r\\nx-i: " + NAME + b"\\r\\n\\r\\nhello, world")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def start_instance(name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", "-c", INSTANCE, name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def killed(folder: Path, kill_times: int = 5) -> list[Measure]:
    """One of two killed with -9 at 500 requests a second on kept connections; the control does nothing about it."""
    outcomes: Counter[str] = Counter()
    out: list[float] = []
    slowest: list[float] = []
    for _ in range(kill_times):
        instances = [start_instance(name) for name in ("one", "two")]
        at, door = Bind("127.0.0.1", free_port(), OWNER, ""), Bind("127.0.0.1", free_port(), OWNER, "")
        hand = Hand(folder, folder / "run", binary.find(), SystemClock(), Tuning())
        try:
            ports = [int(i.stdout.readline()) for i in instances if i.stdout]
            servers = [Server(n, "127.0.0.1", p) for n, p in zip(("one", "two"), ports, strict=True)]
            await hand.apply(desired(at, door, *servers))
            seen: list[tuple[float, float, str]] = []
            load = asyncio.create_task(open_loop(at.port, 500, 3.0, seen, outcomes))
            await asyncio.sleep(1.5)
            instances[0].kill()
            died = time.monotonic()
            assert hand.admin is not None
            for _ in range(500):
                (state,) = await admin.ask(hand.admin, ["show servers state default:web:80"])
                if " one 127.0.0.1 0 " in state:
                    break
                await asyncio.sleep(0.002)
            out.append((time.monotonic() - died) * 1000)
            await load
            slowest.append(max(end - begun for begun, end, _ in seen if begun > died) * 1000)
        finally:
            for one in instances:
                one.kill()
                one.wait()
                assert one.stdout is not None
                one.stdout.close()
            await hand.stop(0.1)
    failed = sum(n for status, n in outcomes.items() if status != "200")
    print(f"killed {kill_times} times, answers: {dict(outcomes)}, failed: {failed}")
    return [
        Measure("out of rotation after the kill", out, "ms", "50 ms"),
        Measure("slowest request after the kill", slowest, "ms"),
    ]


async def open_loop(
    port: int, rate: int, seconds: float, seen: list[tuple[float, float, str]], outcomes: Counter[str], path: str = "/"
) -> None:
    """Requests leave at their time on kept connections; nothing is retried by the client."""
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    begin = time.monotonic()

    async def one(at: float) -> None:
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nhost: web\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(found[1]) if found else 0)
        except (OSError, asyncio.IncompleteReadError) as error:
            outcomes[type(error).__name__] += 1
            writer.close()
            return
        outcomes[head.split(b" ")[1].decode()] += 1
        who = re.search(rb"x-i: (\w+)", head)
        seen.append((at, time.monotonic(), who[1].decode() if who else ""))
        idle.append((reader, writer))

    async with asyncio.TaskGroup() as group:
        for i in range(int(rate * seconds)):
            at = begin + i / rate
            if (wait := at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            group.create_task(one(at))
    for _, writer in idle:
        writer.close()


async def changes(folder: Path) -> list[Measure]:
    """How long the hand takes: an instance more or less, a route, a new worker; with 1 and with 200 Services."""
    result = []
    for services in (1, 200):
        hand = Hand(folder, folder / "run", binary.find(), SystemClock(), Tuning())
        at, door = Bind("127.0.0.1", free_port(), OWNER, ""), Bind("127.0.0.1", free_port(), OWNER, "")
        server = Server("one", "127.0.0.1", 1)
        more = tuple(
            Backend(f"default:other-{i}:80", "http", (server, Server("b", "127.0.0.1", 2))) for i in range(services - 1)
        )
        without = replace(desired(at, door), backends=(*desired(at, door).backends, *more))
        with_ = replace(without, backends=(replace(without.backends[0], servers=(server,)), *more))
        rows = replace(with_, doors=(replace(with_.doors[0], table=with_.doors[0].table[:-1]),))
        took: dict[str, list[float]] = {"live change": [], "new worker": []}
        try:
            await hand.apply(without)
            for wanted in (with_, rows, with_, without) * 5:
                begun = time.monotonic()
                await hand.apply(wanted)
                took["live change"].append((time.monotonic() - begun) * 1000)
            for i in range(5):
                await asyncio.sleep(0.6)
                begun = time.monotonic()
                await hand.apply(replace(without, backends=(*without.backends, Backend(f"x:{i}", "http"))))
                took["new worker"].append((time.monotonic() - begun) * 1000)
        finally:
            await hand.stop(0.1)
        result += [Measure(f"{name}, {services} Services", values, "ms") for name, values in took.items()]
    return result


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.which("wrk"):
            show("gateway: CPU a request", asyncio.run(cost(folder)))
        else:
            print("wrk is not installed: no CPU figures")
        show("gateway: one of two killed with -9 at 500 requests/s", asyncio.run(killed(folder)))
        show("gateway: changes", asyncio.run(changes(folder)))
