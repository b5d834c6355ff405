"""A start that is cut: whoever has a part in it is killed with -9 as soon as a step of it shows on the machine.

Then either the same start succeeds by itself, or it says why it failed; and nothing is left of it.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from madang.node.runtimes.oci.runtime import ContainerRuntime
from madang.node.runtimes.runtime import Exit, Launch, Running
from tests.node.runtimes.launching import processes
from tests.node.runtimes.oci.conftest import MakeContainer

# What appears in the start's folder, in this order: the root's folders, links and document, what the runtime notes, the
# new process's pid, the record that it runs.
STEPS = ("upper", "l0", "config.json", "state", "pid", "running.json")
VICTIMS = ("monitor", "starter", "runtime", "program")
WHY_NOT = {("StartError", "runtime"), ("StartError", "program")}


def below(pid: int) -> list[int]:
    with suppress(OSError, ValueError):
        return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def victims(zygote: int, victim: str) -> list[int]:
    """By their places: the monitor is the zygote's child, the starter its first, the runtime the starter's; the
    program comes to the monitor when its runtime has gone."""
    monitors = below(zygote)
    if victim == "monitor":
        return monitors
    children = [child for pid in monitors for child in below(pid)]
    if victim == "starter":
        return children[:1]
    if victim == "program":
        return children[1:]
    return [child for pid in children for child in below(pid)]


def cut(folder: Path, step: str, find: Callable[[], list[int]], over: threading.Event) -> None:
    """In a thread: one kill."""
    while not over.is_set() and not os.path.lexists(folder / step):
        time.sleep(0.0001)
    while not over.is_set():
        if found := find():
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.0001)


async def cut_start(runtime: ContainerRuntime, launch: Launch, step: str, victim: str) -> Running:
    over, zygote = threading.Event(), runtime.zygote.pid or 0
    cutter = threading.Thread(target=cut, args=(launch.folder, step, lambda: victims(zygote, victim), over))
    cutter.start()
    try:
        async with asyncio.timeout(20):
            return await runtime.start(launch)
    finally:
        over.set()
        cutter.join()


def groups(runtime: ContainerRuntime) -> list[str]:
    assert runtime.cgroups is not None
    tops = {Path(folder).parent for folder in runtime.cgroups.tree("x")["folders"]}
    return [str(path) for top in tops if top.exists() for path in top.iterdir() if path.is_dir()]


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_start_that_is_cut(runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path, victim: str) -> None:
    before = groups(runtime)

    async def scene(number: int, step: str) -> None:
        launch = container("while :; do sleep 1000; done", id=str(number))
        running = await cut_start(runtime, launch, step, victim)
        if running.failed is not None:
            told = running.failed
            assert (told.reason, victim) in WHY_NOT or (told.code, step) == (137, "running.json"), (step, told)
        else:
            assert isinstance(runtime.adopt(launch.folder), Running | Exit)
            await runtime.kill(running)
            await runtime.wait(running, launch.folder)
        await runtime.remove(launch.folder)
        assert not launch.folder.exists()
        async with asyncio.timeout(10):
            while groups(runtime) != before:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def all_steps() -> None:
        for number, step in enumerate(STEPS):
            await scene(number, step)

    asyncio.run(all_steps())
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert processes(str(tmp_path)) == []
