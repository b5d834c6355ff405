"""A small open-loop load: requests leave at their time, whatever became of the earlier ones. Nothing is retried."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Result:
    statuses: Counter[str] = field(default_factory=Counter)
    instances: Counter[str] = field(default_factory=Counter)
    last_seen: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)


async def get(
    port: int, path: str = "/", host: str = "web", method: str = "GET", body: bytes = b"", at: str = "127.0.0.1"
) -> tuple[str, bytes, bytes]:
    """(status or the error's name, headers, body) of one request on its own connection."""
    writer = None
    try:
        reader, writer = await asyncio.open_connection(at, port)
        head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await asyncio.wait_for(reader.read(-1), 20)
        headers, _, rest = answer.partition(b"\r\n\r\n")
        return (headers.split(b" ")[1].decode() if headers else "empty"), headers, rest
    except OSError as error:
        return type(error).__name__, b"", b""
    finally:
        if writer is not None:
            writer.close()


async def keep_asking(
    port: int, rate: float, seconds: float, result: Result, path: str = "/", host: str = "web"
) -> None:
    """`rate` requests a second for so long."""
    start = time.monotonic()

    async def one(at: float) -> None:
        status, headers, _ = await get(port, path, host)
        result.statuses[status] += 1
        result.latencies.append(time.monotonic() - at)
        for line in headers.split(b"\r\n"):
            if line.startswith(b"x-instance:"):
                name = line.split(b":")[1].strip().decode()
                result.instances[name] += 1
                result.last_seen[name] = time.monotonic()

    async with asyncio.TaskGroup() as group:
        for i in range(int(rate * seconds)):
            at = start + i / rate
            if (wait := at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            group.create_task(one(at))


async def until(holds: Callable[[], Any]) -> Any:
    for _ in range(1000):
        if found := holds():
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to be within ten seconds")
