"""Logs, exec and port-forward through both protocols that clients speak, against make-believe streams."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from websockets.asyncio.client import ClientConnection, unix_connect

from madang.api.direct import DirectApi
from madang.wire.serve import Door
from tests.api.house import pod
from tests.wire.doors import Client, doors
from tests.wire.streams import Echo, FakeStreams

POD = "/api/v1/namespaces/default/pods/p"


def run(home: Path, test: Callable[[DirectApi, Door, FakeStreams], Awaitable[None]]) -> None:
    async def main() -> None:
        streams = FakeStreams()
        async with doors(home, streams=streams) as (api, door):
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
