"""Attaching for real: what a container prints last is read, who says nothing ends its input, terminals are resized."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from madang.node.launch.folders import Folders
from madang.node.runtimes import confinement
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Launch
from madang.node.streams.attachment import LogSession

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="monitors need Linux")
POD = {"metadata": {"namespace": "default", "name": "p", "uid": "u"}, "spec": {}}


def attached(home: Path, argv: list[str], talk: Any, **more: Any) -> tuple[list[bytes], int]:
    """What was read to the end, and the exit code. `talk` gets the session."""
    folders = Folders(home, POD)
    runtime = HostRuntime("attach", walls=confinement.NONE, limits=False)
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    start = Launch("u-c-0", folders.attempt("c", 0), argv, env, "/", folders.log("c", 0), stdin=True, **more)

    async def story() -> tuple[list[bytes], int]:
        running = await runtime.start(start)
        session = LogSession(
            runtime, running, folders, "c", 0, stdin=start.folder / "stdin", since_s=running.started_at_s
        )
        try:
            async with asyncio.timeout(30):
                talking: Coroutine[Any, Any, None] = talk(session)
                await talking
                read = []
                while (piece := await session.read()) is not None:
                    read.append(piece[1])
                return read, await session.wait()
        finally:
            await session.close()
            await runtime.kill(running)
            await runtime.wait(running, start.folder)

    try:
        return asyncio.run(story())
    finally:
        runtime.close()


def test_the_end_of_input_reaches_a_program_that_was_sent_nothing(tmp_path: Path) -> None:
    async def talk(session: LogSession) -> None:
        await session.close_stdin()

    assert attached(tmp_path, ["sh", "-c", "cat; echo done; exit 4"], talk, stdin_once=True) == ([b"done\n"], 4)


def test_much_input_and_the_last_word(tmp_path: Path) -> None:
    async def talk(session: LogSession) -> None:
        await session.write(b"x" * 300_000)  # more than a pipe holds
        await session.close_stdin()
        await session.write(b"lost")

    assert attached(tmp_path, ["sh", "-c", "wc -c"], talk, stdin_once=True) == ([b"300000\n"], 0)


def test_a_program_that_does_not_read_loses_what_it_is_sent(tmp_path: Path) -> None:
    async def talk(session: LogSession) -> None:
        await session.wait()
        for _ in range(3):
            await session.write(b"too late")

    assert attached(tmp_path, ["true"], talk) == ([], 0)


def test_the_terminal_takes_the_size_of_who_attaches(tmp_path: Path) -> None:
    async def talk(session: LogSession) -> None:
        await session.resize(101, 33)
        await session.write(b"go\n")

    read, code = attached(tmp_path, ["sh", "-c", "read go; stty size"], talk, tty=True)
    assert (b"33 101" in b"".join(read), code) == (True, 0)
