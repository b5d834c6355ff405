"""What a port speaks of which nobody said it: told by the first bytes, or by who is silent and who greets."""

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.gateway import sniffing
from madang.gateway.desired import Backend, Bind, Desired, Frontend, Server
from madang.gateway.tuning import Tuning
from madang.haproxy import admin
from tests.gateway.conftest import bind, running
from tests.gateway.load import get
from tests.gateway.test_hand import Start, server

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "VERSION-CONTROL")
VARIABLE = "proc.greets.default.my_db.80"


def other(data: bytes) -> bool:
    """What the configured expression makes of a connection's first bytes."""
    return re.search(sniffing.OTHER, data[: sniffing.LINE].hex().upper()) is not None


@given(st.sampled_from(METHODS), st.from_regex(r"/[!-~]{0,90}", fullmatch=True), st.data())
def test_no_part_of_a_request_line_is_taken_for_something_else(method: str, path: str, data: st.DataObject) -> None:
    line = f"{method} {path} HTTP/1.1".encode()
    assert not other(line[: data.draw(st.integers(0, len(line)))])


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"*1\r\n$4\r\nPING\r\n",
        b"PING\r\n",
        b"get key\r\n",
        b"HELO there\r\n",
        b"AMQP\x00\x00\x09\x01",
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"\x10\x10\x00\x04MQTT",
        b"SSH-2.0-client\r\n",
        b"CONNECT\naccept-version:1.2\n",
        b"PRI * HTTP/2.0\r\n",
        b"~",
        b"@",
        b"[",
        b"0",
    ],
)
def test_who_speaks_something_else_is_known_by_the_first_bytes(data: bytes) -> None:
    assert other(data)


def carried(at: Bind, *servers: Server) -> Desired:
    backends = (Backend("default:my-db:80", "http", servers), Backend("default:my-db:80:tcp", "tcp", servers))
    return Desired((Frontend("default:my-db:80", "sniff", (at,), "default:my-db:80"),), (), backends)


async def late(port: int, wait_s: float, data: bytes) -> bytes:
    """The first line of the answer to a client that says nothing at first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(wait_s)
    writer.write(data)
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return answer


def test_a_late_request_is_http_and_outlives_its_instance(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program, Tuning(look="10s")) as hand:
            await hand.apply(carried(at, server(one), server(two)))
            request = b"GET /hang-up HTTP/1.1\r\nhost: web\r\n\r\n"
            answers = await asyncio.gather(*(late(at.port, 0.1, request) for _ in range(4)))
            assert answers == [b"HTTP/1.1 200 OK\r\n"] * 4, "the one that hangs up is asked by nobody twice"

    asyncio.run(story())


def test_a_server_that_speaks_first_is_waited_for_once(tmp_path: Path, program: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        await reader.read(1)
        writer.close()

    async def story() -> None:
        at = bind()
        mail = await asyncio.start_server(greet, "127.0.0.1", 0)
        tuning = Tuning(look="200ms")
        async with mail, running(tmp_path, program, tuning) as hand:
            await hand.apply(carried(at, Server("mail", "127.0.0.1", mail.sockets[0].getsockname()[1])))
            assert await learned(hand.admin) is False
            assert await late(at.port, 0, b"") == b"220 mail\r\n"
            assert await learned(hand.admin) is True
            assert await late(at.port, 0, b"") == b"220 mail\r\n"

    asyncio.run(story())


def test_who_gives_a_silent_client_up_in_http_is_still_http(tmp_path: Path, program: Path) -> None:
    async def give_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        writer.close()

    async def story() -> None:
        at = bind()
        web = await asyncio.start_server(give_up, "127.0.0.1", 0)
        async with web, running(tmp_path, program, Tuning(look="100ms")) as hand:
            await hand.apply(carried(at, Server("web", "127.0.0.1", web.sockets[0].getsockname()[1])))
            assert (await late(at.port, 0, b"")).startswith(b"HTTP/1.1 408")
            assert await learned(hand.admin) is False
            assert (await get(at.port))[0] == "408"

    asyncio.run(story())


async def learned(path: Path | None) -> bool:
    assert path is not None
    (answer,) = await admin.ask(path, [f"get var {VARIABLE}"])
    return "value=<1>" in answer or "value=<true>" in answer.lower()
