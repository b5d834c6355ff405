"""Reading a log back: rotated files in order, and following through rotations without a gap."""

import asyncio
import os
from pathlib import Path

from madang.node.runtimes import logs
from madang.node.runtimes.monitor.logfile import LogFile


async def whole(log: Path) -> list[bytes]:
    return [line async for chunk in logs.read(log) for line in chunk.splitlines()]


def test_rotated_files_come_first(tmp_path: Path) -> None:
    log = tmp_path / "c.log"
    for name, text in (("c.log.10", "a\n"), ("c.log.2", "b\n"), ("c.log.1", "c\n"), ("c.log", "d\nunfinished")):
        (tmp_path / name).write_text(text)
    (tmp_path / "c.log.other").write_text("no\n")
    assert asyncio.run(whole(log)) == [b"a", b"b", b"c", b"d"]


def test_no_log_yet(tmp_path: Path) -> None:
    assert asyncio.run(whole(tmp_path / "nothing" / "c.log")) == []


def test_following_misses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "c.log"
    writer = LogFile(str(log), 4096, 50)

    async def write() -> None:
        for number in range(1000):
            writer.append(f"{number:050}\n".encode())
            if number % 50 == 0:
                await asyncio.sleep(0)

    async def follow() -> list[int]:
        seen: list[int] = []
        async for chunk in logs.read(log, until=asyncio.get_running_loop().create_future()):
            seen += [int(line) for line in chunk.splitlines()]
            if seen[-1] == 999:
                break
        return seen

    async def story() -> list[int]:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            reader = group.create_task(follow())
            group.create_task(write())
        return reader.result()

    before = len(os.listdir("/proc/self/fd"))
    assert asyncio.run(story()) == list(range(1000))
    writer.close()
    assert len(os.listdir("/proc/self/fd")) == before - 2
