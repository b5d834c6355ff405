"""The host runtime with real processes, under each kind of wall that this machine allows."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from madang.node.runtimes import confinement
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor import record
from madang.node.runtimes.runtime import Exit, Mount, Running
from tests.node.runtimes.launching import PYTHON, WALLS, MakeLaunch, logged, processes

PREFIX = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)


async def until_gone(word: str) -> None:
    async with asyncio.timeout(10):
        while processes(word):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_logged(log: Path, text: str) -> None:
    async with asyncio.timeout(10):
        while not has(log, text):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def has(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text()


def tell(path: Path, text: str) -> None:
    path.write_text(text)


async def run_to_end(runtime: HostRuntime, launch: MakeLaunch, script: str) -> Exit:
    wanted = launch(script)
    running = await runtime.start(wanted)
    return await runtime.wait(running, wanted.folder)


@pytest.mark.parametrize(
    ("script", "code", "number", "reason"),
    [
        ("exit 0", 0, 0, "Completed"),
        ("exit 3", 3, 0, "Error"),
        ("kill -TERM $$", 143, 15, "Error"),
        ("kill -9 $$", 137, 9, "Error"),
    ],
)
def test_exit_codes_signals_and_reasons(
    runtime: HostRuntime, launch: MakeLaunch, script: str, code: int, number: int, reason: str
) -> None:
    ended = asyncio.run(run_to_end(runtime, launch, script))
    assert (ended.code, ended.signal, ended.reason) == (code, number, reason)
    assert ended.finished_at_s >= ended.started_at_s


def test_output_is_in_the_log_in_cri_form(runtime: HostRuntime, launch: MakeLaunch) -> None:
    asyncio.run(run_to_end(runtime, launch, "echo to out; echo to err >&2; printf unfinished"))
    lines = sorted(line.split(" ", 1)[1] for line in launch().log.read_text().splitlines())
    assert lines == ["stderr F to err", "stdout F to out", "stdout P unfinished"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["/nope"], f'{PREFIX}exec: "/nope": stat /nope: no such file or directory: unknown'),
        (["nope"], f'{PREFIX}exec: "nope": executable file not found in $PATH: unknown'),
        (["/etc/passwd"], f'{PREFIX}exec: "/etc/passwd": permission denied: unknown'),
    ],
)
def test_a_program_that_cannot_be_run(runtime: HostRuntime, launch: MakeLaunch, argv: list[str], message: str) -> None:
    async def story() -> None:
        wanted = launch(argv=argv)
        running = await runtime.start(wanted)
        assert running.failed is not None
        assert (running.failed.code, running.failed.reason, running.failed.message) == (128, "StartError", message)
        assert runtime.adopt(wanted.folder) == running.failed == await runtime.wait(running, wanted.folder)

    asyncio.run(story())


def test_sigterm_by_default_ends_the_program(runtime: HostRuntime, launch: MakeLaunch) -> None:
    async def story() -> None:
        wanted = launch(argv=["sleep", "1000"])
        running = await runtime.start(wanted)
        await runtime.signal(running, signal.SIGTERM)
        assert (await runtime.wait(running, wanted.folder)).code == 143
        await runtime.signal(running, signal.SIGTERM)  # gone is a success

    asyncio.run(story())


def test_what_daemonizes_goes_with_the_program(runtime: HostRuntime, launch: MakeLaunch) -> None:
    word = f"1{uuid.uuid4().int % 10**9}"

    async def story() -> None:
        wanted = launch(f"(setsid sleep {word} &) ; echo up; sleep 1000")
        running = await runtime.start(wanted)
        await until_logged(wanted.log, "up")
        await runtime.kill(running)
        assert (await runtime.wait(running, wanted.folder)).code == 137
        assert processes(word) == []

    asyncio.run(story())


def test_nothing_survives_a_killed_monitor(runtime: HostRuntime, launch: MakeLaunch) -> None:
    word = f"1{uuid.uuid4().int % 10**9}"

    async def story() -> None:
        wanted = launch(f"(setsid sleep {word} &) ; echo up; sleep {word}")
        running = await runtime.start(wanted)
        await until_logged(wanted.log, "up")
        kept = record.read(wanted.folder, record.RUNNING)
        assert kept is not None
        os.kill(kept["monitorPid"], signal.SIGKILL)
        ended = await runtime.wait(running, wanted.folder)
        assert (ended.code, ended.signal, ended.reason) == (137, 9, "Error")
        await until_gone(word)

    asyncio.run(story())


def test_a_new_runtime_adopts_what_runs_and_what_ended(runtime: HostRuntime, launch: MakeLaunch) -> None:
    async def story() -> None:
        wanted = launch("echo up; read line < go; exit 5")
        os.mkfifo(Path(wanted.cwd) / "go")
        running = await runtime.start(wanted)
        newer = HostRuntime("unused", limits=False)
        found = newer.adopt(wanted.folder)
        assert found == running
        tell(Path(wanted.cwd, "go"), "go\n")
        assert isinstance(found, Running)
        assert (await newer.wait(found, wanted.folder)).code == 5
        ended = newer.adopt(wanted.folder)
        assert isinstance(ended, Exit) and ended.code == 5
        await newer.remove(wanted.folder)
        assert newer.adopt(wanted.folder) is None
        newer.close()

    asyncio.run(story())


def test_containers_outlive_zygote_and_control_process(runtime: HostRuntime, launch: MakeLaunch) -> None:
    async def story() -> None:
        first = launch("echo up; sleep 1000", id="first")
        running = await runtime.start(first)
        pid = runtime.zygote.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        second = launch("exit 4", id="second")
        again = await runtime.start(second)
        assert (await runtime.wait(again, second.folder)).code == 4
        assert runtime.adopt(first.folder) == running
        await runtime.kill(running)
        await runtime.wait(running, first.folder)

    asyncio.run(story())


CONTROL = """
import asyncio, os, pickle, signal, sys
from madang.node.runtimes import confinement
from madang.node.runtimes.host import HostRuntime

async def story():
    walls, launch = pickle.loads(bytes.fromhex(sys.argv[1]))
    runtime = HostRuntime("unused", walls=walls, limits=False)
    await runtime.start(launch)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(story())
"""


def test_a_container_outlives_a_killed_control_process(runtime: HostRuntime, launch: MakeLaunch) -> None:
    known = runtime.ground.known
    assert known is not None
    wanted = launch("echo up; read x; exit 6", stdin=True)
    told = pickle.dumps((confinement.Walls("given", known), wanted)).hex()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", CONTROL, told], env=env, check=False)
    assert done.returncode == -signal.SIGKILL

    async def story() -> None:
        running = runtime.adopt(wanted.folder)
        assert isinstance(running, Running)
        await until_logged(wanted.log, "up")
        tell(wanted.folder / "stdin", "go\n")
        assert (await runtime.wait(running, wanted.folder)).code == 6

    asyncio.run(story())


def test_an_unknown_user_and_a_missing_folder_are_named(confined: HostRuntime, launch: MakeLaunch) -> None:
    async def story() -> None:
        running = await confined.start(launch("true", cwd="/no/such/folder"))
        assert running.failed is not None
        assert "/no/such/folder" in running.failed.message

    asyncio.run(story())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_the_program_runs_as_the_user_asked_for(runtime: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    script = "id -u; id -g; id -G; echo again > /dev/stdout"
    wanted = launch(script, user="65534:65533", groups=[4242], cwd="/")

    async def story() -> None:
        running = await runtime.start(wanted)
        assert (await runtime.wait(running, wanted.folder)).code == 0

    asyncio.run(story())
    uid, gid, groups, again = logged(wanted)
    assert (uid, gid, again) == ("65534", "65533", "again")
    assert {"65533", "4242"} <= set(groups.split())


def test_memory_limit(runtime: HostRuntime, launch: MakeLaunch) -> None:
    """By a cgroup where one can be made, by the monitor's watch elsewhere; here the watch."""
    runtime.ground.cgroups = None
    eats = "import time\nx = []\nwhile True:\n  x.append(bytearray(1 << 20)); time.sleep(0.001)"
    wanted = launch(argv=[PYTHON, "-c", eats], memory_bytes=48 << 20)

    async def story() -> Exit:
        return await runtime.wait(await runtime.start(wanted), wanted.folder)

    ended = asyncio.run(story())
    assert (ended.code, ended.reason) == (137, "OOMKilled")


def test_memory_limit_by_cgroup_and_sample(confined: HostRuntime, launch: MakeLaunch) -> None:
    if confined.ground.cgroups is None or not confined.ground.cgroups.version:
        pytest.skip(f"no cgroup can be made here: {confined.ground.cgroups.why_not if confined.ground.cgroups else ''}")
    eats = "import sys\nprint('up', flush=True)\nsys.stdin.read(1)\nx = []\nwhile True: x.append(bytearray(1 << 20))"
    wanted = launch(argv=[PYTHON, "-c", eats], memory_bytes=48 << 20, cpu_millis=500, stdin=True)

    async def story() -> Exit:
        running = await confined.start(wanted)
        await until_logged(wanted.log, "up")
        sample = confined.sample(running)
        assert sample is not None and sample.pids == (running.pid,)
        assert sample.cpu_ns > 0 and 1 << 20 < sample.memory_bytes < 48 << 20
        tell(wanted.folder / "stdin", "x")
        return await confined.wait(running, wanted.folder)

    ended = asyncio.run(story())
    assert (ended.code, ended.reason) == (137, "OOMKilled")


def test_sample_without_cgroups(runtime: HostRuntime, launch: MakeLaunch) -> None:
    runtime.ground.cgroups = None
    wanted = launch("sleep 1000 & echo up; wait")

    async def story() -> None:
        running = await runtime.start(wanted)
        await until_logged(wanted.log, "up")
        sample = runtime.sample(running)
        assert sample is not None and running.pid in sample.pids and len(sample.pids) == 2
        assert sample.memory_bytes > 100_000
        await runtime.kill(running)
        await runtime.wait(running, wanted.folder)
        assert runtime.sample(running) is None

    asyncio.run(story())


def test_fifty_leave_no_descriptor_behind(confined: HostRuntime, launch: MakeLaunch) -> None:
    async def story() -> int:
        wanted = [launch("exit 0", id=f"c-{n}") for n in range(10)]
        started = await asyncio.gather(*(confined.start(w) for w in wanted))
        await asyncio.gather(*(confined.wait(r, w.folder) for r, w in zip(started, wanted)))
        for w in wanted:
            await confined.remove(w.folder)
            assert not w.folder.exists()
        return len(os.listdir("/proc/self/fd"))

    async def rounds() -> None:
        before = await story()
        for _ in range(4):
            assert await story() == before

    asyncio.run(rounds())


def test_without_private_mounts_a_volume_elsewhere_is_refused(launch: MakeLaunch, tmp_path: Path) -> None:
    runtime = HostRuntime("unused", walls=WALLS["none"], limits=False)
    volume = tmp_path / "volume"
    volume.mkdir()
    outside = launch("true", mounts=[Mount(volume, "/data")])
    assert runtime.refuses(outside) == (
        f"mountPath /data lies outside the pod's folder {outside.cwd}, and this machine allows no private mounts: "
        f"mount below {outside.cwd}, or run as root or where user namespaces are allowed"
    )

    async def story() -> None:
        refused = await runtime.start(outside)
        assert refused.failed is not None and refused.failed.reason == "StartError"
        inside = launch("echo kept > data/file", mounts=[Mount(volume, f"{outside.cwd}/data")])
        assert runtime.refuses(inside) == ""
        running = await runtime.start(inside)
        assert (await runtime.wait(running, inside.folder)).code == 0

    asyncio.run(story())
    assert not Path("/data").exists()
    assert (volume / "file").read_text() == "kept\n"
    runtime.close()


def test_the_zygote_imports_little() -> None:
    """Every module more is memory more in every container."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import madang.node.runtimes.monitor.zygote; print(*sys.modules)"
    )
    source = str(Path(__file__).parents[3] / "src")
    out = subprocess.run([sys.executable, "-I", "-S", "-c", code, source], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "subprocess", "dataclasses", "logging", "inspect", "tempfile", "pathlib"}
    assert heavy & set(out.stdout.split()) == set()


def test_waiting_on_a_kernel_without_pidfd(
    runtime: HostRuntime, launch: MakeLaunch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", missing)
    assert asyncio.run(run_to_end(runtime, launch, "exit 9")).code == 9


def test_records_of_a_newer_madang_are_refused(confined: HostRuntime, launch: MakeLaunch) -> None:
    folder = launch().folder
    folder.mkdir(parents=True)
    (folder / record.RUNNING).write_text('{"format": 99}')
    with pytest.raises(ValueError, match=r"was written by a newer madang \(format 99, this one knows 1\)"):
        confined.adopt(folder)
