"""Many followers, one inotify instance; and none at all."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from madang.node.runtimes import logs, notices
from madang.node.runtimes.notices import Notices


def instances() -> int:
    found = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{fd}") == "anon_inode:inotify"
        except FileNotFoundError:
            continue
    return found


async def follow(log: Path, until: "asyncio.Future[Any]", hub: Notices, got: bytearray) -> None:
    async for chunk in logs.read(log, until=until, notices=hub):
        got += chunk


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (a file has no event)
            await asyncio.sleep(0.005)


def test_two_hundred_followers_share_one(tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(200)]
    for folder in folders:
        folder.mkdir()
        (folder / "0.log").write_bytes(b"old\n")

    async def story() -> list[bytearray]:
        hub, over = Notices(), asyncio.get_running_loop().create_future()
        got = [bytearray() for _ in folders]
        before = instances()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for folder, into in zip(folders, got):
                group.create_task(follow(folder / "0.log", over, hub, into))
                group.create_task(follow(folder / "0.log", over, hub, bytearray()))
            await until(lambda: all(got))
            assert instances() == before + 1
            for folder in folders:
                with (folder / "0.log").open("ab") as file:
                    file.write(b"new\n")
            await until(lambda: all(b"new" in one for one in got))
            over.set_result(None)
        assert instances() == before
        return got

    assert asyncio.run(story()) == [b"old\nnew\n"] * 200


@pytest.mark.parametrize("call", ["inotify_init1", "inotify_add_watch"])
def test_without_inotify_it_is_looked_at_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    class Refused:
        inotify_init1, inotify_add_watch = notices._libc.inotify_init1, notices._libc.inotify_add_watch

    setattr(Refused, call, staticmethod(lambda *_: -1))
    monkeypatch.setattr(notices, "_libc", Refused)
    monkeypatch.setattr(notices, "LOOK_EVERY_S", 0.01)
    log = tmp_path / "0.log"
    log.write_bytes(b"old\n")

    async def story() -> bytes:
        hub, over, got = Notices(), asyncio.get_running_loop().create_future(), bytearray()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(follow(log, over, hub, got))
            await until(lambda: got == b"old\n")
            with log.open("ab") as file:
                file.write(b"new\n")
            await until(lambda: got == b"old\nnew\n")
            over.set_result(None)
        return bytes(got)

    assert asyncio.run(story()) == b"old\nnew\n"


def test_a_folder_that_goes_wakes_who_follows_it(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()

    async def story() -> None:
        hub, over = Notices(), asyncio.get_running_loop().create_future()
        with hub.watch(folder) as watch:
            folder.rmdir()
            async with asyncio.timeout(10):
                await watch.wait(over)
        assert instances() == 0

    asyncio.run(story())
