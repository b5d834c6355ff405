"""What 100 containers cost those who look after them: memory of the control and of each monitor; conmon beside.

Pods of one container (busybox, asleep). A monitor's own is its PSS: what it shares with the others is divided among
them. Podman runs fewer: a conmon's memory does not depend on their number but for its libraries, which are shared.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench.births import Watch
from bench.containers import COMMAND, IMAGE, LOW, layer, naming, peer, pod, podman, store
from bench.court import Court, courtyard, load, memory_mb
from bench.table import Measure, show

PODS = int(os.environ.get("BENCH_PODS", "100"))
THEIRS, SETTLE_S = 20, 20.0


async def begun(court: Court) -> None:
    api = court.api()
    watch = Watch(api)
    following = asyncio.create_task(watch.follow())
    names = [f"p{number}" for number in range(PODS)]
    try:
        await asyncio.gather(*(api.create("pods", pod(name), namespace="default") for name in names))
        await asyncio.wait_for(watch.until(watch.running, names), 120)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await api.close()


def ours(court: Court) -> list[Measure]:
    asyncio.run(begun(court))
    time.sleep(SETTLE_S)
    found = court.processes()
    monitors = [memory_mb(pid) for pid in found["monitors"]]
    resident, own = memory_mb(found["control"][0])
    return [
        Measure(f"control, RSS, {PODS} containers running", [resident], "MB", "140 MB"),
        Measure("control, PSS", [own], "MB"),
        Measure(f"a monitor, PSS ({len(monitors)})", [each for _, each in monitors], "MB", "1 MB"),
        Measure("a monitor, RSS", [each for each, _ in monitors], "MB"),
        Measure("zygote, PSS", [memory_mb(pid)[1] for pid in found["zygote"]], "MB"),
    ]


def theirs(folder: Path, source: Path) -> list[Measure]:
    with podman(folder, source) as tool:
        run = [*tool, "run", "--detach", "--network", "none", "--runtime", "runc", *LOW, IMAGE, *COMMAND]
        for _ in range(THEIRS):
            subprocess.run(run, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        found = [
            memory_mb(pid) for pid in naming(str(folder)) if Path(f"/proc/{pid}/comm").read_text().startswith("conmon")
        ]
    return [
        Measure(f"conmon, PSS ({len(found)})", [each for _, each in found], "MB"),
        Measure("conmon, RSS", [each for each, _ in found], "MB"),
    ]


def main() -> None:
    found = shutil.which("busybox")
    if found is None:
        print("hundred: not measured: no busybox here (Debian: apt-get install busybox-static)")
        return
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as top:
        folder, source = Path(top), Path(top) / "image.tar"
        store(source, layer(Path(found)))
        with courtyard() as court:
            court.run("image", "load", str(source), "--tag", IMAGE)
            court.run("up", "--detach")
            show(f"{PODS} containers ({load()})", ours(court))
        beside = peer("podman", folder, lambda at: theirs(at, source))
    if beside:
        show("Beside them", beside)
