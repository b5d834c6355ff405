"""Exec and attach over a WebSocket: v5 and v4.channel.k8s.io (apimachinery util/remotecommand), and their elders.

In: messages with a channel (0 stdin, 4 resize; v5: 255 closes the channel named next), as `frames` reads them.
Out: the same (1 stdout, 2 stderr, 3 the closing Status, with the exit code in it).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import orjson

from madang.ports.errors import BadRequest, StatusError
from madang.ports.objects import Obj
from madang.ports.streams import Process
from madang.wire import answer
from madang.wire.answer import Receive, Send
from madang.wire.frames import CHANNELS, Frames
from madang.wire.request import Request

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
STILL_THERE_S = 5.0  # between two looks whether a client is, whose input nobody takes
T = TypeVar("T")


def choose(offered: Sequence[str], known: Sequence[str]) -> str:
    for protocol in known:
        if protocol in offered:
            return protocol
    raise BadRequest(f"unable to negotiate protocol: client supports {list(offered)}, server accepts {list(known)}")


async def run(
    start: Callable[[], Awaitable[Process]],
    request: Request,
    offered: Sequence[str],
    receive: Receive,
    send: Send,
    *,
    tells_code: bool = True,
) -> None:
    """`tells_code`: how the program ended is part of the answer. It is not for who merely attached."""
    frames = Frames(choose(offered, CHANNELS) if offered else "", send)
    await receive()  # websocket.connect
    await frames.accept()
    try:
        process = await start()
    except StatusError as refusal:
        await frames.status(ERROR, refusal.body())
        await frames.close()
        return
    try:
        await _session(process, request, receive, frames, tells_code)
    finally:
        await process.close()


async def _session(process: Process, request: Request, receive: Receive, frames: Frames, tells_code: bool) -> None:
    """Until the program ends or the client leaves."""
    async with asyncio.TaskGroup() as tasks:
        incoming = tasks.create_task(_incoming(process, request, receive, frames))
        outgoing = tasks.create_task(_outgoing(process, request.flag("tty"), frames))
        await asyncio.wait({incoming, outgoing}, return_when=asyncio.FIRST_COMPLETED)
        if not outgoing.done():
            outgoing.cancel()
            return
        incoming.cancel()
        if outgoing.exception() is None:
            await frames.status(ERROR, ended(outgoing.result() if tells_code else 0))
            await frames.close()


async def _incoming(process: Process, request: Request, receive: Receive, frames: Frames) -> None:
    """Ends when the client has left."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        heard = frames.heard(message)
        if heard is None:
            continue
        channel, rest = heard
        if channel == STDIN:
            if not await patiently(process.write(rest), lambda: frames.say(STDOUT, b""), request.look):
                return
        elif channel == RESIZE:
            with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                size = orjson.loads(rest)
                await process.resize(int(size["Width"]), int(size["Height"]))
        elif channel == CLOSE and rest[:1] == bytes([STDIN]):
            await process.close_stdin()


async def patiently(
    work: Coroutine[Any, Any, None],
    probe: Callable[[], Awaitable[None]],
    look: Callable[[], Awaitable[None]] | None = None,
) -> bool:
    """False: the client has left. While what it sent is not taken, nothing more is taken from it, not even its
    farewell: so now and then it is sent something that says nothing, which fails once the connection is known to be
    dead (by its end, or by a ping that was not answered: `serve.PATIENCE_S`)."""
    writing = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({writing}, timeout=STILL_THERE_S))[0]:
            if look is not None:
                await look()  # who stands between may know it, and say nothing
            try:
                await probe()
            except OSError:
                return False
        writing.result()
        return True
    finally:
        if not writing.done():
            writing.cancel()
            await asyncio.wait({writing})


async def _outgoing(process: Process, tty: bool, frames: Frames) -> int:
    while (got := await process.read()) is not None:
        channel, data = got
        await frames.say(STDOUT if tty else channel, data)
    return await process.wait()


def ended(code: int) -> Obj:
    """The Status that closes a session."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


@contextlib.asynccontextmanager
async def until_gone(receive: Receive, closing: asyncio.Event) -> AsyncIterator["asyncio.Task[None]"]:
    """A task that is done when the client has left."""
    task = asyncio.create_task(answer.gone(receive, closing))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def first(awaitable: Awaitable[T], leaving: "asyncio.Task[None]") -> T | None:
    """What is awaited, or None if the client leaves before it comes."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return None
