"""Containers and networks: start, end, 50 at once, an exec, an attach, and what a monitor weighs."""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from bench.table import Measure, show
from madang.node.networks import choice, claims
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor import record
from madang.node.runtimes.runtime import Launch, Mount, Running
from madang.ports.settings import Settings
from madang.ports.streams import ExecOptions

RUNS, MANY = 15, 50
PEER_ALONE, PEER_MANY = "pod Running 242 ms", "pods Running 7.0 s"


async def timed(work: Awaitable[object]) -> float:
    start = time.perf_counter()
    await work
    return (time.perf_counter() - start) * 1000


def launch(folder: Path, id: str) -> Launch:
    """As a pod has it: a volume where no folder is, names, a termination log."""
    hosts, volume = folder / "hosts", folder / "volume"
    hosts.touch()
    volume.mkdir(exist_ok=True)
    mounts = [Mount(hosts, "/etc/hosts"), Mount(hosts, "/dev/termination-log"), Mount(volume, "/data-of-bench")]
    return Launch(
        id=id, folder=folder / id, argv=["sleep", "1000"], env={"PATH": "/usr/bin:/bin"}, cwd=str(folder),
        log=folder / "logs" / id, mounts=mounts, hostname="bench",
    )  # fmt: skip


async def containers(folder: Path) -> list[Measure]:
    runtime = HostRuntime(f"b{os.getpid()}")
    print((await runtime.probe()).details)
    starts, ends, execs = [], [], []

    async def end(running: Running, wanted: Launch) -> None:
        await runtime.kill(running)
        await runtime.wait(running, wanted.folder)

    async def execute(running: Running, wanted: Launch) -> None:
        process = await runtime.exec(running, wanted, ExecOptions(command=["true"]))
        await process.wait()
        await process.close()

    for number in range(RUNS):
        wanted = launch(folder, f"alone-{number}")
        begin = time.perf_counter()
        running = await runtime.start(wanted)
        starts.append((time.perf_counter() - begin) * 1000)
        execs.append(await timed(execute(running, wanted)))
        ends.append(await timed(end(running, wanted)))
    many = [launch(folder, f"many-{number}") for number in range(MANY)]
    begin = time.perf_counter()
    running_all = await asyncio.gather(*(runtime.start(wanted) for wanted in many))
    together = (time.perf_counter() - begin) * 1000
    weights = [weight_kb(pid) for wanted in many if (pid := monitor(wanted))]
    gone = await timed(asyncio.gather(*(end(r, w) for r, w in zip(running_all, many, strict=True))))
    runtime.close(sweep=True)
    return [
        Measure("container: start to exec'd, alone", starts, "ms", "pod Running 50 ms", PEER_ALONE),
        Measure(f"containers: {MANY} at once, all", [together], "ms", "pods Running 1 s", PEER_MANY),
        Measure("container: kill to exit known", ends, "ms"),
        Measure(f"containers: {MANY} killed at once, all known", [gone], "ms"),
        Measure("exec `true`: to its exit code", execs, "ms"),
        Measure("monitor: memory of its own (PSS)", weights, "kB"),
    ]


def monitor(wanted: Launch) -> int | None:
    kept = record.read(wanted.folder, record.RUNNING)
    return kept["monitorPid"] if kept else None


def weight_kb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    return 0.0


async def network(folder: Path) -> list[Measure]:
    found = await choice.choose()
    claim = claims.hold(folder, found.network)
    built = choice.build(Settings("t", claim.id, folder, claim.addresses))
    await built.start()
    try:
        alone = [await timed(built.attach(f"alone-{number}", "bench")) for number in range(RUNS)]
        many = await timed(asyncio.gather(*(built.attach(f"many-{number}", "bench") for number in range(MANY))))
        gone = [await timed(built.detach(f"alone-{number}")) for number in range(RUNS)]
        stop = await timed(built.stop())
    finally:
        claim.release()
    name = found.network
    return [
        Measure(f"{name}: attach, alone", alone, "ms", "15 ms"),
        Measure(f"{name}: {MANY} attached at once, all", [many], "ms", "700 ms"),
        Measure(f"{name}: detach", gone, "ms"),
        Measure(f"{name}: stop with {MANY} attached", [stop], "ms"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as name:
        folder = Path(name)
        show("Containers and networks", [*asyncio.run(containers(folder)), *asyncio.run(network(folder))])
