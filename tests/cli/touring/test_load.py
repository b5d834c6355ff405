"""The people at the door: they come when they are due, try nothing twice, and count every kind of failure."""

import asyncio
import contextlib
import runpy
from asyncio import StreamReader, StreamWriter
from pathlib import Path

from madang.cli.touring.load import Shoppers, Visit, fault, shopping, tale

ROOT = Path(__file__).resolve().parents[3]
PAGE = b"<html>all there</html>"


def answer(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def some(people: Shoppers, count: int) -> None:
    for _ in range(2000):
        if len(people.visits) >= count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{len(people.visits)} of {count} came")


def came_of(*answers: bytes) -> tuple[int, dict[str, int], int]:
    """(how many were asked, what failed, how many requests the server saw); an empty answer hangs up."""
    seen = 0

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal seen
        while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:"):
            said = answers[seen % len(answers)]
            seen += 1
            if not said:
                return
            writer.write(said)

    handlers: list[asyncio.Task[None]] = []

    async def handle(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.append(task)
        with contextlib.suppress(asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        await writer.wait_closed()

    async def story() -> tuple[int, dict[str, int], int]:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with shopping(f"http://127.0.0.1:{port}/x", 500) as people:
                await some(people, 12)
            await asyncio.gather(*handlers)
            told = people.told()
            return told.asked, told.faults, seen

    return asyncio.run(story())


def test_every_request_is_asked_once() -> None:
    asked, faults, seen = came_of(answer(200, PAGE))
    assert asked == seen and not faults


def test_failures_are_counted_and_not_tried_again() -> None:
    asked, faults, seen = came_of(answer(200, PAGE), answer(503, b""), b"")
    assert asked == seen and set(faults) == {"status 503", "IncompleteReadError"}
    assert abs(faults["status 503"] - asked / 3) <= 1


def test_a_page_without_a_part_failed() -> None:
    """Whichever part it is, as the shop's own page says it."""
    make = runpy.run_path(str(ROOT / "examples" / "shop" / "web" / "web" / "html.py"))["shop"]
    well = {"catalog": "catalog-1", "cart": "cart-1", "orders": "orders-1"}
    assert fault(200, make([], {}, [], well, "").encode()) == ""
    for service in well:
        for why in (f"{service} does not answer (ReadTimeout)", f"{service} failed (503)"):
            assert fault(200, make([], {}, [], {**well, service: why}, "").encode()) == why
    assert fault(500, PAGE) == "status 500" and fault(200, PAGE) == ""


def test_nobody_there() -> None:
    async def story() -> dict[str, int]:
        async with shopping("http://127.0.0.1:1/", 500) as people:
            await some(people, 1)
        return people.told().faults

    assert set(asyncio.run(story())) == {"ConnectionRefusedError"}


def test_a_tale_counts_from_a_moment_on() -> None:
    told = tale([Visit(1.0, 0.010), Visit(2.0, 0.030, "status 500"), Visit(3.0, 0.020)])
    assert (told.asked, told.failed, told.median_ms, told.slowest_ms) == (3, 1, 20.0, 30.0)
    assert tale([]).slowest_ms == 0.0
    assert told.figures() == {"requests": 3, "failed": 1, "slowest_ms": 30.0, "faults": {"status 500": 1}}
    assert "faults" not in tale([]).figures()
