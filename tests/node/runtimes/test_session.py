"""Exec: a process in the container's own namespaces, with pipes or a terminal, an exit code, and an end."""

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Launch, Running
from madang.ports.errors import NotFound, StatusError
from madang.ports.streams import ExecOptions, Process
from tests.node.runtimes.launching import MakeLaunch, processes


def with_container(runtime: HostRuntime, wanted: Launch, story: Callable[[Running], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        running = await runtime.start(wanted)
        try:
            async with asyncio.timeout(30):
                await story(running)
        finally:
            await runtime.kill(running)
            await runtime.wait(running, wanted.folder)

    asyncio.run(whole())


async def read_all(process: Process) -> dict[int, bytes]:
    got = {1: b"", 2: b""}
    while (chunk := await process.read()) is not None:
        got[chunk[0]] += chunk[1]
    return got


def test_output_environment_and_exit_code(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"], env={"COLOR": "blue"}, hostname="pod-a")

    async def story(running: Running) -> None:
        script = 'echo "$COLOR $EXTRA"; pwd; hostname; echo bad >&2; exit 7'
        options = ExecOptions(command=["sh", "-c", script], env=[("EXTRA", "more")])
        process = await runtime.exec(running, wanted, options)
        got = await read_all(process)
        assert await process.wait() == 7
        assert await process.wait() == 7
        await process.close()
        host = "pod-a" if runtime.private_mounts else os.uname().nodename
        assert got == {1: f"blue more\n{wanted.cwd}\n{host}\n".encode(), 2: b"bad\n"}

    with_container(runtime, wanted, story)


def test_stdin_flows_and_ends(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"])

    async def story(running: Running) -> None:
        process = await runtime.exec(running, wanted, ExecOptions(command=["wc", "-c"], stdin=True))
        await process.write(b"x" * 300_000)  # more than a pipe holds
        await process.close_stdin()
        assert (await read_all(process))[1].strip() == b"300000"
        assert await process.wait() == 0
        await process.close()

    with_container(runtime, wanted, story)


def test_a_terminal_and_its_size(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"])

    async def story(running: Running) -> None:
        options = ExecOptions(command=["sh", "-c", "read go; stty size; test -t 0 && echo $TERM"], stdin=True, tty=True)
        process = await runtime.exec(running, wanted, options)
        await process.resize(101, 33)
        await process.write(b"go\n")
        text = (await read_all(process))[1].decode()
        assert "33 101\r\nxterm" in text
        assert await process.wait() == 0
        await process.close()

    with_container(runtime, wanted, story)


def test_closing_ends_the_process(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"])
    word = f"1{uuid.uuid4().int % 10**9}"

    async def story(running: Running) -> None:
        process = await runtime.exec(running, wanted, ExecOptions(command=["sleep", word]))
        assert processes(word)
        await process.close()
        while processes(word):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert await process.wait() == 137

    with_container(runtime, wanted, story)


def test_an_exec_ends_with_its_container(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"])

    async def story(running: Running) -> None:
        process = await runtime.exec(running, wanted, ExecOptions(command=["sleep", "1000"]))
        await runtime.kill(running)
        await runtime.wait(running, wanted.folder)
        if runtime.ground.known and runtime.ground.known["pids"]:
            assert await process.wait() == 137
        await process.close()

    with_container(runtime, wanted, story)


def test_a_command_that_is_not_there(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"])

    async def story(running: Running) -> None:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(StatusError, match=r'exec: "nope": executable file not found in \$PATH'):
            await runtime.exec(running, wanted, ExecOptions(command=["nope"]))
        assert len(os.listdir("/proc/self/fd")) == before

    with_container(runtime, wanted, story)


def test_a_container_that_is_over(confined: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch("exit 0")

    async def story() -> None:
        running = await confined.start(wanted)
        await confined.wait(running, wanted.folder)
        with pytest.raises(NotFound, match="is not running"):
            await confined.exec(running, wanted, ExecOptions(command=["true"]))

    asyncio.run(story())


def test_closing_wakes_who_reads_and_waits(runtime: HostRuntime, launch: MakeLaunch) -> None:
    wanted = launch(argv=["sleep", "1000"])

    async def story(running: Running) -> None:
        process = await runtime.exec(running, wanted, ExecOptions(command=["sleep", "1000"], stdin=True))
        reading, waiting = asyncio.create_task(process.read()), asyncio.create_task(process.wait())
        writing = asyncio.create_task(process.write(b"x" * 1_000_000))
        given_up = asyncio.create_task(process.wait())
        await asyncio.sleep(0.01)
        given_up.cancel()  # one caller's end is not the others'
        await asyncio.sleep(0)
        assert not waiting.done()
        await process.close()
        assert await reading is None
        assert await waiting == 137
        await writing

    with_container(runtime, wanted, story)
