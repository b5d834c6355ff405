"""Attaching: who writes is heard, one after the other; an end of input comes only when it was asked for."""

import asyncio
import os
from pathlib import Path

import pytest

from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Launch
from madang.node.runtimes.terminal import resize
from tests.node.runtimes.launching import MakeLaunch, logged


async def written(path: Path, data: bytes) -> None:
    """In a thread: a writer waits while the program doesn't read."""
    await asyncio.to_thread(path.write_bytes, data)


async def ended(runtime: HostRuntime, wanted: Launch, *pieces: bytes) -> int:
    async with asyncio.timeout(20):
        running = await runtime.start(wanted)
        for piece in pieces:
            await written(wanted.folder / "stdin", piece)
        return (await runtime.wait(running, wanted.folder)).code


def test_one_after_the_other_is_heard(confined: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch("read a; read b; echo $a $b", stdin=True)
    assert asyncio.run(ended(confined, wanted, b"one\n", b"two\n")) == 0
    assert logged(wanted) == ["one two"]


@pytest.mark.parametrize("tty", [False, True])
def test_the_first_is_the_last(confined: HostRuntime, launch: MakeLaunch, tty: bool) -> None:
    wanted = launch(argv=["cat"], stdin=True, stdin_once=True, tty=tty)
    assert asyncio.run(ended(confined, wanted, b"all\n")) == 0
    assert {line.strip() for line in logged(wanted)} == {"all"}


def test_more_than_a_pipe_holds(confined: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch("sleep 0.1; wc -c", stdin=True, stdin_once=True)
    assert asyncio.run(ended(confined, wanted, b"x" * 500_000)) == 0
    assert [line.strip() for line in logged(wanted)] == ["500000"]


def test_a_program_that_closes_its_input(confined: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch("exec <&-; sleep 0.2; echo over", stdin=True, stdin_once=True)
    assert asyncio.run(ended(confined, wanted, b"x" * 500_000)) == 0
    assert logged(wanted) == ["over"]


def test_a_terminal_is_resized(confined: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch("read x; stty size", stdin=True, tty=True)

    async def story() -> None:
        running = await confined.start(wanted)
        before = len(os.listdir("/proc/self/fd"))
        resize(running, 120, 40)
        assert len(os.listdir("/proc/self/fd")) == before
        await written(wanted.folder / "stdin", b"go\n")
        await confined.wait(running, wanted.folder)

    asyncio.run(story())
    assert logged(wanted)[-1].strip() == "40 120"
