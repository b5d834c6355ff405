"""A followed log shows each line once, also where many lines have one time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from madang.node.follow_log import follow_log
from madang.node.runtimes.runtime import Exit, Runtime
from madang.ports.streams import LogOptions

AT = "2026-01-01T00:00:0"
PAST = f"{AT}1.5Z stdout F one\n{AT}1.5Z stdout F two\n{AT}1.5Z stdout F two\n".encode()
NEW = f"{AT}1.5Z stdout F three\n{AT}2.5Z stdout F four\n{AT}2.5Z stdout F five\n".encode()


class Log:
    """Reads as a runtime's log does: followed, it begins anew, and goes on with what is written meanwhile."""

    def __init__(self, ended: "asyncio.Future[Exit]") -> None:
        self.ended, self.content = ended, PAST

    async def logs(self, log: Path, *, follow: bool) -> AsyncIterator[bytes]:
        yield self.content
        if follow:
            self.content += NEW
            yield NEW
            self.content += f"{AT}2.5Z stdout F six\n".encode()
            self.ended.set_result(cast(Exit, None))
            await asyncio.Event().wait()


def test_each_line_once() -> None:
    async def read(options: LogOptions) -> list[str]:
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        runtime: Any = Log(ended)
        pieces = [p async for p in follow_log(cast(Runtime, runtime), Path("x"), options, 0.0, ended)]
        return b"".join(pieces).decode().split()

    assert asyncio.run(read(LogOptions())) == ["one", "two", "two", "three", "four", "five", "six"]
    assert asyncio.run(read(LogOptions(tail_lines=1))) == ["two", "three", "four", "five", "six"]
