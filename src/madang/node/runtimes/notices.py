"""Who waits for something to happen in a folder: one inotify instance for all of them.

In: folders. Out: a `Watch` each, which wakes at every change. An instance a follower would soon be refused (a user has
128 of them, fs.inotify.max_user_instances); where not even one can be had, or no more folders be watched, the folder
is looked at now and then instead.
"""

import asyncio
import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

IN_MODIFY, IN_MOVED_TO, IN_CREATE, IN_IGNORED = 0x2, 0x80, 0x100, 0x8000
IN_NONBLOCK, IN_CLOEXEC = 0o4000, 0o2000000
LOOK_EVERY_S = 0.25  # where nothing tells
_HEAD = struct.Struct("iIII")  # inotify(7): wd, mask, cookie, length of the name
_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    def __init__(self, *, told: bool) -> None:
        self.changed = asyncio.Event()
        self._told = told

    async def wait(self, until: "asyncio.Future[Any]") -> None:
        """Until something has happened since the last call, or `until` is done."""
        changed = asyncio.ensure_future(self.changed.wait())
        both: set[asyncio.Future[Any]] = {changed, until}
        try:
            await asyncio.wait(both, timeout=None if self._told else LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
        self.changed.clear()


class Notices:
    """For followers of one event loop at a time; holds a descriptor only while somebody follows."""

    def __init__(self) -> None:
        self._fd = -1
        self._watches: dict[int, set[Watch]] = {}

    @contextmanager
    def watch(self, folder: Path) -> Iterator[Watch]:
        number = self._add(folder)
        made = Watch(told=number >= 0)
        if number < 0:
            yield made
            return
        self._watches.setdefault(number, set()).add(made)
        try:
            yield made
        finally:
            self._drop(number, made)

    def _add(self, folder: Path) -> int:
        """The kernel's number for this folder; below 0: it cannot be watched."""
        if self._fd < 0:
            self._fd = _libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
            if self._fd < 0:
                return -1
            asyncio.get_running_loop().add_reader(self._fd, self._read)
        number = int(_libc.inotify_add_watch(self._fd, os.fsencode(folder), IN_MODIFY | IN_MOVED_TO | IN_CREATE))
        if number < 0 and not self._watches:
            self._close()
        return number

    def _drop(self, number: int, watch: Watch) -> None:
        left = self._watches.get(number)
        if left is None:  # the folder has gone, and its number with it
            return
        left.discard(watch)
        if not left:
            del self._watches[number]
            _libc.inotify_rm_watch(self._fd, number)
        if not self._watches:
            self._close()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 64 * 1024)
        except BlockingIOError:
            return
        for number, mask in set(_events(data)):
            # Below 0: the kernel's queue has overflowed, and anything may have happened.
            for watch in self._watches.get(number, ()) if number >= 0 else self._all():
                watch.changed.set()
            if mask & IN_IGNORED:
                self._watches.pop(number, None)
        if not self._watches:
            self._close()

    def _all(self) -> set[Watch]:
        return {watch for watches in self._watches.values() for watch in watches}

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with suppress(RuntimeError):  # the loop is closed: a generator that is collected late
                asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)


def _events(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at + _HEAD.size <= len(data):
        number, mask, _, length = _HEAD.unpack_from(data, at)
        yield number, mask
        at += _HEAD.size + length
