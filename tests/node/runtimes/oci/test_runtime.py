"""Containers for real: by the OCI runtime of this machine, from a layer of busybox."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from madang.node.runtimes import cgroup, standstill
from madang.node.runtimes.monitor import record
from madang.node.runtimes.oci.runtime import ContainerRuntime
from madang.node.runtimes.oci.users import Who
from madang.node.runtimes.runtime import Exit, Launch, Mount, Running
from madang.ports.errors import NotFound, StatusError
from madang.ports.objects import Obj
from madang.ports.streams import ExecOptions
from tests.node.containers.made import pod
from tests.node.runtimes.launching import logged
from tests.node.runtimes.oci.conftest import MakeContainer


async def to_end(runtime: ContainerRuntime, launch: Launch) -> Exit:
    return await runtime.wait(await runtime.start(launch), launch.folder)


async def said(runtime: ContainerRuntime, running: Running, launch: Launch, *command: str) -> tuple[str, int]:
    process = await runtime.exec(running, launch, ExecOptions(command=command))
    text = b""
    try:
        while (piece := await process.read()) is not None:
            text += piece[1]
        return text.decode(), await process.wait()
    finally:
        await process.close()


def shown(launch: Launch) -> list[str]:
    """What a terminal shows ends its lines with a return as well."""
    return [text.rstrip("\r") for text in logged(launch)] if launch.log.exists() else []


def left(folders: list[str]) -> list[str]:
    return [folder for folder in folders if os.path.exists(folder)]


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def limited(**limits: str) -> Obj:
    return pod({"resources": {"limits": limits}})


def secured(**context: object) -> Obj:
    return pod({"securityContext": context})


@pytest.mark.parametrize(
    ("script", "code", "number", "reason"),
    [
        ("exit 0", 0, 0, "Completed"),
        ("exit 3", 3, 0, "Error"),
        # the first process of a PID namespace gets no signal of its own that it has no handler for
        ("sh -c 'kill -9 $$'; exit $?", 137, 0, "Error"),
    ],
)
def test_exit_codes(
    runtime: ContainerRuntime, container: MakeContainer, script: str, code: int, number: int, reason: str
) -> None:
    ended = asyncio.run(to_end(runtime, container(script)))
    assert (ended.code, ended.signal, ended.reason) == (code, number, reason)


def test_it_is_a_container(runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("outside")
    launch = container(
        "hostname; id -u; id -G; echo $HOME; ls /; cat /in/data; echo err >&2; touch /new /in/x; test -e /proc/2",
        who=Who(33, 44, (44, 55)),
        of=secured(readOnlyRootFilesystem=True),
        mounts=(Mount(tmp_path / "data", "/in/data", read_only=True),),
    )
    ended = asyncio.run(to_end(runtime, launch))
    lines = logged(launch)
    assert lines[:4] == ["p", "33", "44 55", "/var/www"]
    assert "outside" in lines
    assert "touch: /new: Read-only file system" in lines
    assert ended.code == 1  # there is no other process


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"argv": ["/nope"]}, 'exec: "/nope": stat /nope: no such file or directory: unknown'),
        ({"argv": ["nope"]}, 'exec: "nope": executable file not found in $PATH: unknown'),
        ({"argv": ["/etc/passwd"]}, 'exec: "/etc/passwd": permission denied: unknown'),
    ],
)
def test_what_cannot_be_run_is_told_in_a_clusters_words(
    runtime: ContainerRuntime, container: MakeContainer, more: Obj, message: str
) -> None:
    launch = container(**more)
    ended = asyncio.run(to_end(runtime, launch))
    assert (ended.code, ended.reason) == (128, "StartError")
    assert ended.message == (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        f"unable to start container process: {message}"
    )
    assert runtime.adopt(launch.folder) == ended


def test_exec_signals_and_the_ways_it_can_be_told(runtime: ContainerRuntime, container: MakeContainer) -> None:
    async def scene() -> None:
        launch = container(
            "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done", who=Who(33, 44, (44,))
        )
        running = await runtime.start(launch)
        assert await said(runtime, running, launch, "sh", "-c", "id -u; echo e >&2; exit 7") == ("33\ne\n", 7)
        with pytest.raises(StatusError, match='exec: "nope": executable file not found'):
            await said(runtime, running, launch, "nope")
        await until(lambda: "up" in shown(launch))
        await runtime.signal(running, signal.SIGTERM, group=False)
        ended = await runtime.wait(running, launch.folder)
        assert (ended.code, ended.signal) == (5, 0)
        assert logged(launch)[-1] == "bye"
        with pytest.raises(NotFound):
            await said(runtime, running, launch, "true")

    asyncio.run(scene())


def test_a_terminal_of_its_own(runtime: ContainerRuntime, container: MakeContainer) -> None:
    async def scene() -> None:
        launch = container("tty; echo up; read x; echo got $x; sleep 100", tty=True, stdin=True)
        running = await runtime.start(launch)
        await until(lambda: "up" in shown(launch))
        assert shown(launch)[0] == "/dev/pts/0"
        fd = os.open(launch.folder / "stdin", os.O_WRONLY)
        os.write(fd, b"word\n")
        os.close(fd)
        await until(lambda: "got word" in shown(launch))
        process = await runtime.exec(running, launch, ExecOptions(command=("sh",), stdin=True, tty=True))
        await process.resize(77, 33)
        await process.write(b"tty; stty size; exit 6\n")
        text = b""
        while (piece := await process.read()) is not None:
            text += piece[1]
        assert b"/dev/pts/1" in text
        assert b"33 77" in text
        assert await process.wait() == 6
        await process.close()
        await runtime.kill(running)
        assert (await runtime.wait(running, launch.folder)).code == 137

    asyncio.run(scene())


def test_who_leaves_an_exec_ends_it(runtime: ContainerRuntime, container: MakeContainer) -> None:
    async def scene() -> None:
        launch = container("while :; do sleep 0.1; done")
        running = await runtime.start(launch)
        process = await runtime.exec(running, launch, ExecOptions(command=("sleep", "4711")))
        pids = runtime.sample(running)
        assert pids is not None
        await process.close()
        async with asyncio.timeout(10):
            while "4711" in (await said(runtime, running, launch, "ps"))[0]:
                pass
        await runtime.kill(running)
        await runtime.wait(running, launch.folder)

    asyncio.run(scene())


def test_too_much_memory_is_told(runtime: ContainerRuntime, container: MakeContainer) -> None:
    launch = container("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", of=limited(memory="24Mi"))
    ended = asyncio.run(to_end(runtime, launch))
    assert (ended.code, ended.reason) == (137, "OOMKilled")


def used_ns(launch: Launch) -> int:
    """CPU time, as the container's own cgroup tells it."""
    kept = record.read(launch.folder, record.RUNNING)
    assert kept is not None
    for folder in map(Path, kept["cgroup"]["folders"]):
        if (folder / "cpuacct.usage").exists():
            return int((folder / "cpuacct.usage").read_text())
        if (folder / "cgroup.events").exists():
            return int((folder / "cpu.stat").read_text().split()[1]) * 1000
    raise AssertionError("no cgroup counts its CPU time")


def test_it_is_counted(runtime: ContainerRuntime, container: MakeContainer) -> None:
    async def scene() -> None:
        launch = container("while :; do :; done", of=limited(cpu="200m", memory="64Mi"))
        running = await runtime.start(launch)
        first = runtime.sample(running)
        await until(lambda: (s := runtime.sample(running)) and first and s.cpu_ns > first.cpu_ns)
        sample = runtime.sample(running)
        assert sample is not None
        assert running.pid in sample.pids
        assert 0 < sample.memory_bytes < 64 << 20
        before, counted, after = used_ns(launch), runtime.sample(running), used_ns(launch)
        assert counted is not None and before <= counted.cpu_ns <= after, "what the kernel has counted"
        await runtime.kill(running)
        await runtime.wait(running, launch.folder)
        assert runtime.sample(running) is None

    asyncio.run(scene())


@pytest.mark.parametrize(
    "attempt",
    [
        "mount -t tmpfs x /tmp",
        "unshare -m true",
        "echo 1 > /proc/sys/kernel/panic",
        "echo c > /proc/sysrq-trigger",
        "echo x > /sys/kernel/uevent_helper",
        "cat /proc/kcore",
        "echo 1 > /sys/fs/cgroup/memory/cgroup.procs || false",
        "busybox mknod /tmp/sda b 8 0 && cat /tmp/sda",
        "kill -9 -1 && ls /proc/1/root/home",
    ],
)
def test_no_way_out(runtime: ContainerRuntime, container: MakeContainer, attempt: str) -> None:
    ended = asyncio.run(to_end(runtime, container(f"{attempt}; test $? -ne 0 && exit 42; exit 0")))
    assert ended.code == 42


START = (
    "import asyncio, pickle, sys\n"
    "from madang.node.runtimes.host import HostRuntime\n"
    "from madang.node.runtimes.oci.runtime import ContainerRuntime\n"
    "async def main():\n"
    "    host = HostRuntime('{courtyard}')\n"
    "    runtime = ContainerRuntime(host.ground)\n"
    "    runtime.program = '{program}'\n"
    "    await runtime.start(pickle.loads(sys.stdin.buffer.read()))\n"
    "    sys.stdout.write('started\\n'); sys.stdout.flush()\n"
    "    await asyncio.sleep(1000)\n"
    "asyncio.run(main())\n"
)


def test_it_outlives_the_control_process_and_is_taken_over(
    runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path
) -> None:
    launch = container("sleep 0.3; cat /tmp/go 2>/dev/null; while test ! -e /tmp/go; do sleep 0.01; done; exit 9")
    code = START.format(courtyard="t0123abc", program=runtime.program)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as control:
        assert control.stdin is not None
        assert control.stdout is not None
        control.stdin.write(pickle.dumps(launch))
        control.stdin.close()
        assert control.stdout.readline() == b"started\n"
        control.kill()

    async def scene() -> None:
        running = runtime.adopt(launch.folder)
        assert isinstance(running, Running)
        assert runtime.sample(running) is not None
        assert (await said(runtime, running, launch, "touch", "/tmp/go"))[1] == 0
        ended = await runtime.wait(running, launch.folder)
        assert (ended.code, ended.reason) == (9, "Error")
        await runtime.remove(launch.folder)
        assert not launch.folder.exists()

    asyncio.run(scene())
    cgroup.sweep("t0123abc")


def test_the_monitors_death_is_the_containers(runtime: ContainerRuntime, container: MakeContainer) -> None:
    async def scene() -> None:
        launch = container("sleep 1000 & sleep 1000")
        running = await runtime.start(launch)
        kept = record.read(launch.folder, record.RUNNING)
        assert kept is not None
        os.kill(kept["monitorPid"], signal.SIGKILL)
        ended = await runtime.wait(running, launch.folder)
        assert (ended.code, ended.signal) == (137, 9)
        assert not record.alive(running.pid, running.started_ticks)
        assert not left(kept["cgroup"]["folders"])

    asyncio.run(scene())


def test_a_pause_stops_what_is_in_it(runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path) -> None:
    async def scene() -> None:
        launch = container("sleep 1000 & sleep 1000", id="0")
        moved = launch.folder.parent.parent / "home" / "pods" / "u" / "containers" / "c" / "0"
        moved.parent.mkdir(parents=True)
        running = await runtime.start(launch)
        moved.symlink_to(launch.folder)
        await until(lambda: len(standstill.members(tmp_path / "home", "u")) >= 2)
        assert running.pid in standstill.members(tmp_path / "home", "u")
        await runtime.kill(running)
        await runtime.wait(running, launch.folder)

    asyncio.run(scene())


def test_nothing_is_left_on_the_machine(runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path) -> None:
    async def cycle(number: int) -> list[str]:
        launch = container("while :; do sleep 0.1; done", id=str(number))
        running = await runtime.start(launch)
        kept = record.read(launch.folder, record.RUNNING)
        assert kept is not None
        if number % 3 == 2:
            os.kill(kept["monitorPid"], signal.SIGKILL)
        else:
            await runtime.kill(running)
        await runtime.wait(running, launch.folder)
        await runtime.remove(launch.folder)
        assert not launch.folder.exists()
        return left(kept["cgroup"]["folders"])

    async def scene() -> None:
        for number in range(20):
            assert await cycle(number) == []

    asyncio.run(scene())
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
