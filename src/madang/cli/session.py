"""A program inside an instance, at this terminal: the exec WebSocket of the Kubernetes API over the unix socket.

In: pod, container, command. Out: what it prints, and its exit code. Channels as `v5.channel.k8s.io` has them:
0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 the terminal's size, 255 the end of one channel.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

PROTOCOL = "v5.channel.k8s.io"
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


async def execute(socket: str, namespace: str, pod: str, container: str, command: Sequence[str], terminal: bool) -> int:
    """The program's exit code."""
    from websockets.asyncio.client import unix_connect

    query = [("container", container), *(("command", word) for word in command), ("stdin", "true"), ("stdout", "true")]
    query += [("tty", "true")] if terminal else [("stderr", "true")]
    uri = f"ws://madang/api/v1/namespaces/{namespace}/pods/{pod}/exec?{urlencode(query)}"
    async with unix_connect(socket, uri=uri, subprotocols=[PROTOCOL], max_size=None, compression=None) as wire:
        with raw_terminal() if terminal else contextlib.nullcontext():
            feeder = asyncio.create_task(feed(wire, terminal))
            try:
                return await listen(wire)
            finally:
                feeder.cancel()


async def listen(wire: Any) -> int:
    async for message in wire:
        data = message.encode() if isinstance(message, str) else message
        channel, rest = data[0], data[1:]
        if channel in (STDOUT, STDERR):
            out = sys.stdout.buffer if channel == STDOUT else sys.stderr.buffer
            out.write(rest)
            out.flush()
        elif channel == STATUS:
            return exit_code(json.loads(rest))
    return 1


def exit_code(status: dict[str, Any]) -> int:
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes", ()):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    sys.stderr.write(f"{status.get('message', 'the program could not be run')}\n")
    return 1


async def feed(wire: Any, terminal: bool) -> None:
    """Standard input to the program, and the terminal's size whenever it changes."""
    loop = asyncio.get_running_loop()
    if terminal:
        await size(wire)
        loop.add_signal_handler(signal.SIGWINCH, lambda: asyncio.ensure_future(size(wire)))
    given: asyncio.Queue[bytes] = asyncio.Queue(4)
    # A thread that nobody waits for: a terminal that says nothing must not hold up the end of the program.
    threading.Thread(target=read_into, args=(given, loop), daemon=True).start()
    while data := await given.get():
        await wire.send(bytes([STDIN]) + data)
    await wire.send(bytes([CLOSE, STDIN]))


def read_into(given: "asyncio.Queue[bytes]", loop: asyncio.AbstractEventLoop) -> None:
    """Standard input, of whatever kind it is, into a queue; the last piece is empty."""
    with contextlib.suppress(RuntimeError, OSError, ValueError):  # the loop has ended, or there is no input
        while True:
            data = os.read(sys.stdin.fileno(), 32768)
            asyncio.run_coroutine_threadsafe(given.put(data), loop).result()
            if not data:
                return


async def size(wire: Any) -> None:
    columns, rows = os.get_terminal_size()
    await wire.send(bytes([RESIZE]) + json.dumps({"Width": columns, "Height": rows}).encode())


@contextlib.contextmanager
def raw_terminal() -> Iterator[None]:
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
