"""Logs, exec and port-forward through both protocols that clients speak, against make-believe streams."""

import asyncio
import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import InvalidStatus

from madang.api.direct import DirectApi
from madang.wire.serve import Door
from tests.api.house import pod
from tests.wire.doors import Client, doors
from tests.wire.streams import Echo, FakeStreams

POD = "/api/v1/namespaces/default/pods/p"


def run(
    home: Path,
    test: Callable[[DirectApi, Door, FakeStreams], Awaitable[None]],
    left: AsyncExitStack | None = None,
) -> None:
    async def main() -> None:
        streams = FakeStreams()
        async with left or AsyncExitStack(), doors(home, streams=streams) as (api, door):
            await api.create("pods", pod("p"))
            target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"}, "target": {"name": "n1"}}
            await api.create("pods", target, namespace="default", name="p", subresource="binding")
            await test(api, door, streams)

    asyncio.run(main())


def open_socket(door: Door, path: str, protocol: str) -> "unix_connect":
    return unix_connect(str(door.socket), f"ws://localhost{path}", subprotocols=[protocol], compression=None)  # type: ignore[list-item]


async def everything(socket: ClientConnection) -> dict[int, bytes]:
    """Bytes by channel until the server closes."""
    found: dict[int, bytes] = {}
    async for message in socket:
        assert isinstance(message, bytes)
        found[message[0]] = found.get(message[0], b"") + message[1:]
    return found


def test_logs_are_streamed_with_what_was_asked(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        client = Client(door)
        got = await client("GET", f"{POD}/log?tailLines=3&timestamps=true")
        assert got.raw == b"line 0\nline 1\nline 2\n" and got.headers["content-type"].startswith("text/plain")
        assert streams.asked[0].tail_lines == 3 and streams.asked[0].timestamps and streams.asked[0].container == "c"
        refused = await client("GET", f"{POD}/log?previous=true")
        assert refused.status == 400 and "previous terminated container" in refused.body["message"]
        wrong = await client("GET", f"{POD}/log?container=zz")
        assert wrong.body["message"] == "container zz is not valid for pod p"

    run(tmp_path, check)


def test_exec_carries_streams_resizes_and_the_exit_code(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        async with open_socket(door, f"{POD}/exec?command=echo&command=fail&stdin=true", "v5.channel.k8s.io") as socket:
            await socket.send(b"\x00hello")
            await socket.send(b'\x04{"Width":80,"Height":24}')
            await socket.send(b"\xff\x00")
            found = await everything(socket)
        assert found[1] == b"echo fail\nhello" and found[2] == b"oops\n"
        status = json.loads(found[3])
        assert status["reason"] == "NonZeroExitCode" and status["details"]["causes"][0]["message"] == "3"
        process = streams.opened[0]
        assert isinstance(process, Echo) and process.size == (80, 24) and process.ended.is_set()

    run(tmp_path, check)


def test_who_attached_is_not_told_how_it_ended(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        async with open_socket(door, f"{POD}/attach?command=fail", "v5.channel.k8s.io") as socket:
            found = await everything(socket)
        assert json.loads(found[3])["status"] == "Success"

    run(tmp_path, check)


def test_exec_in_the_protocols_of_old_clients(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        async with open_socket(door, f"{POD}/exec?command=echo&stdout=1", "channel.k8s.io") as socket:
            assert await everything(socket) == {1: b"echo\n", 2: b"oops\n"}, "a success says nothing more"
        async with open_socket(door, f"{POD}/exec?command=fail", "channel.k8s.io") as socket:
            assert (await everything(socket))[3] == b"command terminated with non-zero exit code: exit status 3"
        for protocol in ("base64.channel.k8s.io", "v4.base64.channel.k8s.io"):
            async with open_socket(door, f"{POD}/exec?command=cat&stdin=1", protocol) as socket:
                await socket.send("9" + "?")  # no channel, no base64
                await socket.send("0" + b64encode(b"hello").decode())
                said = [await socket.recv() for _ in range(3)]
                assert all(isinstance(text, str) for text in said)
                assert [(text[:1], b64decode(text[1:])) for text in said] == [
                    ("1", b"cat\n"), ("2", b"oops\n"), ("1", b"hello")
                ]  # fmt: skip
        bare = unix_connect(str(door.socket), f"ws://localhost{POD}/exec?command=echo", compression=None)
        async with bare as socket:
            assert socket.subprotocol is None and (await everything(socket))[1] == b"echo\n"

    run(tmp_path, check)


def test_logs_over_a_socket(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        async with open_socket(door, f"{POD}/log?container=c&tailLines=3", "binary.k8s.io") as socket:
            assert [message async for message in socket] == [b"line 0\n", b"line 1\n", b"line 2\n"]
        assert streams.asked[0].container == "c" and streams.asked[0].tail_lines == 3
        async with open_socket(door, f"{POD}/log", "base64.binary.k8s.io") as socket:
            assert b64decode(await socket.recv()) == b"line 0\n"
        async with open_socket(door, f"{POD}/log?follow=1", "binary.k8s.io"):
            pass
        await streams.left.wait()
        with pytest.raises(InvalidStatus, match="400"):
            async with open_socket(door, f"{POD}/log?previous=1", "binary.k8s.io"):
                pass

    run(tmp_path, check)


def test_a_client_that_leaves_ends_its_session(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        async with open_socket(door, f"{POD}/exec?command=sh&stdin=true", "v4.channel.k8s.io") as socket:
            assert await socket.recv() == b"\x01sh\n"
        await streams.opened[0].ended.wait()

    run(tmp_path, check)


def test_a_handshake_for_no_pod_is_refused_with_the_true_reason(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        client = Client(door)
        missing = await client("POST", "/api/v1/namespaces/default/pods/none/exec?command=ls")
        assert missing.status == 404 and missing.body["message"] == 'pods "none" not found'
        assert (await client("POST", f"{POD}/exec?command=ls")).status == 400

    run(tmp_path, check)


def test_port_forward_over_channels(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        async with open_socket(door, f"{POD}/portforward?ports=8080", "v4.channel.k8s.io") as socket:
            assert await socket.recv() == b"\x00\x90\x1f" and await socket.recv() == b"\x01\x90\x1f"
            await socket.send(b"\x00hello")
            assert await socket.recv() == b"\x00HELLO"
        await streams.opened[0].ended.wait()

    run(tmp_path, check)


async def ask(door: Door, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(door.socket))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return reader, writer


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


def test_who_follows_a_silent_log_may_leave(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        _, writer = await ask(door, f"{POD}/log?follow=true")
        async with asyncio.timeout(10):
            while not streams.asked:  # noqa: ASYNC110 (the other side has no event for it)
                await asyncio.sleep(0.005)
            writer.close()
            await streams.left.wait()
            await closed(writer)

    run(tmp_path, check)


def test_doors_that_close_on_open_streams_say_nothing_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def check(api: DirectApi, door: Door, streams: FakeStreams) -> None:
        watched, first = await ask(door, "/api/v1/pods?watch=1")
        await watched.readuntil(b'"ADDED"')
        newest = (await api.list("pods")).revision
        _, second = await ask(door, f"/api/v1/pods?watch=1&resourceVersion={newest}")
        empty, nothing = await ask(door, "/apis/batch/v1/jobs?watch=1")
        async with asyncio.timeout(10):
            assert b"200 OK" in await empty.readuntil(b"\r\n\r\n"), "a watch of what there is none of begins, too"
        left.push_async_callback(closed, nothing)
        _, third = await ask(door, f"{POD}/log?follow=true")
        _, deaf = await ask(door, f"{POD}/log?follow=true&timestamps=true")
        for writer in (first, second, third, deaf):
            left.push_async_callback(closed, writer)
        for path, protocol in (
            ("exec?command=sh&stdin=true", "v5.channel.k8s.io"),
            ("attach?stdin=true", "v4.channel.k8s.io"),
            ("portforward?ports=1", "v4.channel.k8s.io"),
        ):
            await left.enter_async_context(open_socket(door, f"{POD}/{path}", protocol))
        async with asyncio.timeout(10):
            while len(streams.opened) < 3 or len(streams.asked) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    left = AsyncExitStack()  # clients stay longer than the doors
    with caplog.at_level(logging.INFO):
        run(tmp_path, check, left)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING or r.exc_info] == []
