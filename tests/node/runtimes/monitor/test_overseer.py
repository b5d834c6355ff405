"""Who starts a container and who stays over it: what goes from one to the other, and what is left if the first dies."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor import overseer
from madang.node.runtimes.monitor.warden import Post
from madang.node.runtimes.orders import run
from madang.node.runtimes.zygote import NoZygote
from tests.node.runtimes.launching import MakeLaunch


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize("stdin", [True, False])
@pytest.mark.parametrize("streams", [1, 2])
def test_what_is_handed_over_arrives_with_its_descriptors(
    tmp_path: Path, events: bool, stdin: bool, streams: int
) -> None:
    def opened(name: str) -> int:
        return os.open(tmp_path / name, os.O_CREAT | os.O_RDWR)

    def name(fd: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{fd}")).name if fd >= 0 else ""

    post = Post(
        7, True, 1 << 20, 1.5, "c-0", streams == 1, True, ("log", 5, 6), ("a", "b"), opened("folder"),
        (opened("logs"), opened("log")), tuple(opened(f"s{i}") for i in range(streams)),
        (opened("p0"), opened("p1")), opened("events") if events else -1, opened("stdin") if stdin else -1,
    )  # fmt: skip
    message, fds = overseer.handed_over(post, b"answer", "", 2.5)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        socket.send_fds(theirs, [message], fds)
        found = overseer.taken_over(ours)
        assert found is not None
        taken, *rest = found
        theirs.close()
        assert overseer.taken_over(ours) is None, "the starter was killed"
    assert rest == [b"answer", "", 2.5] and taken[: overseer.PLAIN] == post[: overseer.PLAIN]

    def names(of: Post) -> list[str]:
        return [name(fd) for fd in (of.folder, *of.log_fds, *of.streams, *of.parents, of.events, of.to_program)]

    assert names(taken) == names(post)
    for fd in (*fds, taken.folder, *taken.log_fds, *taken.streams, *taken.parents, taken.events, taken.to_program):
        if fd >= 0:
            os.close(fd)


def there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def own_kb(pid: int) -> int:
    """Of memory that it shares with nobody."""
    place = Path(f"/proc/{pid}/smaps_rollup")
    if not place.exists():
        pytest.skip("this kernel does not tell who shares memory")
    return int(place.read_text().partition("Private_Dirty:")[2].split()[0])


def below(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("killed", ["monitor", "starter"])
def test_whoever_of_them_is_killed_amid_a_start_nobody_is_left(
    confined: HostRuntime, launch: MakeLaunch, killed: str
) -> None:
    """A log that nobody reads from holds the start up."""

    async def scene() -> None:
        walls = await confined.ground.walls()
        if not walls["pids"] or walls["user"]:
            pytest.skip("monitors have no PID namespace of their own here")
        wanted = launch("sleep 1000")
        wanted.folder.mkdir(parents=True)
        wanted.log.parent.mkdir()
        os.mkfifo(wanted.log)
        asking = asyncio.create_task(confined.zygote.ask(run(wanted, walls, None, [])))
        zygote = confined.zygote.pid
        async with asyncio.timeout(10):
            while not (found := [child for pid in below(zygote or 0) for child in below(pid)]):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            (monitor,) = below(zygote or 0)
            os.kill(found[0] if killed == "starter" else monitor, signal.SIGKILL)
            with pytest.raises(NoZygote):
                await asking
            while there(monitor) or there(found[0]):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert confined.adopt(wanted.folder) is None, "nothing had begun"

    asyncio.run(scene())


def test_a_monitor_has_little_memory_of_its_own(confined: HostRuntime, launch: MakeLaunch) -> None:
    """What it shares with the zygote is told apart. It was 1.9 MB when a start was made by the monitor itself."""

    async def scene() -> None:
        walls = await confined.ground.walls()
        if not walls["pids"] or walls["user"]:
            pytest.skip("monitors have no PID namespace of their own here")
        wanted = launch("echo up; sleep 1000")
        running = await confined.start(wanted)
        pid = confined.kept(running, wanted.folder)["monitorPid"]
        assert own_kb(pid) < 1500
        await confined.kill(running)
        await confined.wait(running, wanted.folder)

    asyncio.run(scene())
