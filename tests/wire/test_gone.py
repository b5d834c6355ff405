"""A client that is killed while nobody takes what it sent: its session ends soon, not after minutes."""

import asyncio
import os
import re
import socket
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from madang.haproxy import binary
from madang.ports.streams import ExecOptions
from madang.wire import channels, gone
from tests.api.house import pod
from tests.wire.doors import doors
from tests.wire.streams import Echo, FakeStreams

ANSWER = """0x19cd: [22/Nov/2026:17:18:16.455261] id=8 proto=tcpv4 source=127.0.0.1:37280
  flags=0x4304a, conn_retries=0
  frontend=api (id=2 mode=tcp), listener=? (id=1) addr=127.0.0.1:46315
  scf=0x19cd5820 flags=0x00030204 state=CLO endp=CONN,0x19d200a0,0x01058a01 sub=0 rex=<NEVER> wex=<NEVER>
      co0=0x19cdafd0 ctrl=tcpv4 xprt=SSL mux=PASS data=STRM target=LISTENER:0x19b92490
      flags=0x001c0300 fd=18 fd.state=122 updt=0 fd.tmask=0x1
  scb=0x19b9e040 flags=0x0001c001 state=EST endp=CONN,0x19d1f000,0x040c0001 sub=3 rex=<NEVER> wex=23h59m
      co1=0x19d3d560 ctrl=unix_stream xprt=RAW mux=PASS data=STRM target=SERVER:0x19bbc150
      flags=0x10000300 fd=20 fd.state=111 updt=0 fd.tmask=0x1
0x19ce: [22/Nov/2026:17:18:17.455261] id=9 proto=tcpv4 source=127.0.0.1:37281
  frontend=api (id=2 mode=tcp), listener=? (id=1) addr=127.0.0.1:46315
  scf=0x19cd5820 flags=0x00030204 state=EST endp=CONN,0x19d200a0,0x01058a01 sub=0 rex=<NEVER> wex=<NEVER>
  scb=0x19b9e040 flags=0x0001c001 state=CLO endp=CONN,0x19d1f000,0x040c0001 sub=3 rex=<NEVER> wex=23h59m
      co1=0x19d3d560 ctrl=unix_stream xprt=RAW mux=PASS data=STRM target=SERVER:0x19bbc150
      flags=0x10000300 fd=21 fd.state=111 updt=0 fd.tmask=0x1
0x19cf: [22/Nov/2026:17:18:30.566770] id=9 proto=unix_stream source=unix:1
  frontend=GLOBAL (id=0 mode=tcp), listener=? (id=1) addr=unix:1
  scf=0x19cd5820 flags=0x00030204 state=CLO endp=CONN,0x19d200a0,0x01058a01 sub=0 rex=<NEVER> wex=<NEVER>
"""


def test_reading() -> None:
    assert list(gone.left(ANSWER)) == [gone.Left("0x19cd: [22/Nov/2026:17:18:16.455261] id=8", 20)]
    assert list(gone.left("\n")) == []


def test_the_kernel_knows_the_other_end() -> None:
    one, two = socket.socketpair()
    with one, two:
        assert gone.peer(os.fstat(one.fileno()).st_ino) == os.fstat(two.fileno()).st_ino
    assert gone.peer(1) == 0


class Deaf(Echo):
    async def write(self, data: bytes) -> None:
        await asyncio.Event().wait()


class DeafStreams(FakeStreams):
    async def exec(self, namespace: str, pod: str, options: ExecOptions) -> Echo:
        process = Deaf(options)
        self.opened.append(process)
        return process


def test_a_killed_client_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        binary.find()
    except binary.NoHAProxy as missing:
        pytest.skip(f"without HAProxy nobody stands between: {missing}")
    monkeypatch.setattr(channels, "STILL_THERE_S", 0.05)
    monkeypatch.setattr(gone, "EVERY_S", 0.05)

    async def check() -> None:
        streams = DeafStreams()
        async with doors(tmp_path, streams=streams) as (api, door):
            await api.create("pods", pod("p"))
            target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"}, "target": {"name": "n1"}}
            await api.create("pods", target, namespace="default", name="p", subresource="binding")
            client = await connect(
                re.sub("^http", "ws", door.url) + "/api/v1/namespaces/default/pods/p/exec?command=x&stdin=true",
                ssl=ssl.create_default_context(cafile=str(door.ca)),
                additional_headers={"Authorization": f"Bearer {door.token}"},
                subprotocols=["v5.channel.k8s.io"],  # type: ignore[list-item]
                compression=None,
            )
            sending = asyncio.create_task(flood(client))
            await asyncio.sleep(0.5)  # until all that lies between is full
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            client.transport.abort()
            async with asyncio.timeout(20):
                await streams.opened[0].ended.wait()
            await client.wait_closed()

    async def flood(client: object) -> None:
        while True:
            await client.send(b"\x00" + bytes(64 * 1024))  # type: ignore[attr-defined]

    asyncio.run(check())
