"""The courtyard's own door: who may open it, and pods that go on however the asking ends."""

import asyncio
import json
import os
import stat
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from madang.courtyard.desk import DOOR, desk
from madang.node.probes.patient import Pauses
from madang.node.runtimes import standstill
from madang.ports.settings import Settings

NOBODYS: Any = None  # what is not asked for


def settings(tmp_path: Path) -> Settings:
    found = Settings("default", "abcdef", tmp_path, NOBODYS)
    found.run.mkdir()
    return found


def test_only_its_owner_may_open_it_and_no_other_files_mode_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The umask is the whole process': another thread's folder would be made without its x."""

    def forbidden(mode: int) -> int:
        raise AssertionError("the umask was changed")

    async def story() -> None:
        given = settings(tmp_path)
        monkeypatch.setattr(os, "umask", forbidden)
        async with desk(given, NOBODYS, Pauses()):
            assert stat.S_IMODE((given.run / DOOR).stat().st_mode) == 0o600
            reader, writer = await asyncio.open_unix_connection(given.run / DOOR)
            writer.write(b'{"op": "eat"}\n')
            assert json.loads(await reader.readline())["ok"] is False
            writer.close()
        assert not (given.run / DOOR).exists()

    asyncio.run(story())


def test_pods_that_were_being_stopped_as_the_door_closes_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that stops them cannot be called back."""
    begun, may_end, gone_on = threading.Event(), threading.Event(), []

    def stop(home: Path, uids: Collection[str]) -> list[standstill.Process]:
        begun.set()
        assert may_end.wait(10)
        return [(4, 2)]

    monkeypatch.setattr(standstill, "stop", stop)
    monkeypatch.setattr(standstill, "go_on", lambda home, stopped: gone_on.extend(stopped))

    async def story() -> None:
        given, pauses = settings(tmp_path), Pauses()
        async with desk(given, NOBODYS, pauses):
            _, writer = await asyncio.open_unix_connection(given.run / DOOR)
            writer.write(b'{"op": "pause", "pods": ["u"]}\n')
            assert await asyncio.to_thread(begun.wait, 10)
            asyncio.get_running_loop().call_later(0.05, may_end.set)
        assert gone_on == [(4, 2)] and not pauses.uids
        writer.close()

    asyncio.run(story())
