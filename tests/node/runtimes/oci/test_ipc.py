"""The IPC namespace and the memory that containers of a pod share, for real."""

import asyncio
import os
from pathlib import Path

from madang.node.runtimes.oci.mounts import shared_memory
from madang.node.runtimes.oci.runtime import ContainerRuntime, share_ipc
from madang.node.runtimes.runtime import Launch, Running
from tests.node.runtimes.launching import logged
from tests.node.runtimes.oci.conftest import MakeContainer


async def begun(runtime: ContainerRuntime, *launches: Launch) -> list[Running]:
    found = await asyncio.gather(*(runtime.start(launch) for launch in launches))
    assert not [running.failed for running in found if running.failed]
    return found


async def ended(runtime: ContainerRuntime, running: Running, launch: Launch) -> None:
    await runtime.kill(running)
    await runtime.wait(running, launch.folder)


def seen(running: Running) -> str:
    return os.readlink(f"/proc/{running.pid}/ns/ipc")


def test_containers_of_a_pod_share_it_as_long_as_one_lives(
    runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path
) -> None:
    async def scene() -> None:
        made = [container("sleep 1000", id=f"c-{number}", together=True) for number in range(4)]
        first, second = await begun(runtime, *made[:2])  # at the same moment
        pods = seen(first)
        assert seen(second) == pods and pods != os.readlink("/proc/self/ns/ipc")
        await ended(runtime, first, made[0])
        (third,) = await begun(runtime, made[2])
        assert seen(third) == pods, "it was not the first's alone"
        await ended(runtime, second, made[1])
        await ended(runtime, third, made[2])
        (tmp_path / "ipc").write_text(f"{os.getpid()} 1\n1 no\nnobody\n")  # somebody else has the number
        (fourth,) = await begun(runtime, made[3])
        assert seen(fourth) != os.readlink("/proc/self/ns/ipc")
        assert len((tmp_path / "ipc").read_text().splitlines()) == 1, "the dead are forgotten"
        await ended(runtime, fourth, made[3])

    asyncio.run(scene())


def test_what_is_written_there_is_seen_by_the_others(runtime: ContainerRuntime, container: MakeContainer) -> None:
    async def scene() -> None:
        made = [
            container("echo > /dev/mqueue/q; echo > /dev/shm/m; echo up; sleep 1000", id="c-0", together=True),
            container("ls /dev/mqueue /dev/shm; mount", id="c-1", together=True),
            container("ls /dev/mqueue /dev/shm; mount", id="c-2"),
        ]
        (first,) = await begun(runtime, made[0])
        async with asyncio.timeout(10):
            while not (made[0].log.exists() and logged(made[0])):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        for launch in made[1:]:
            (running,) = await begun(runtime, launch)
            await runtime.wait(running, launch.folder)
        assert {"q", "m"} <= set(logged(made[1])) and not {"q", "m"} & set(logged(made[2]))
        for launch in made[1:]:
            (memory,) = (line for line in logged(launch) if " on /dev/shm " in line)
            assert all(word in memory for word in ("nosuid", "nodev", "noexec", "size=65536k"))
        await ended(runtime, first, made[0])

    asyncio.run(scene())


def test_the_machines_own_stays_it() -> None:
    memory = {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": []}
    assert not share_ipc({"linux": {"namespaces": [{"type": "pid"}]}, "mounts": [memory]})
    theirs = memory | {"source": "/volume"}
    config = {"linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}]}, "mounts": [memory, theirs]}
    assert share_ipc(config)
    assert config["linux"] == {"namespaces": [{"type": "pid"}, {"type": "ipc", "path": "/proc/1/ns/ipc"}]}
    assert config["mounts"] == [shared_memory(), theirs], "what the pod mounts there is its own"
