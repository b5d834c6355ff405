"""Network namespaces with a name in the file system, so that they outlive the process that made them.

In: a folder and names. Out: files that are mounts of namespaces. The folder is a mount of its own that propagates:
what is unmounted here is unmounted in every container, so that no neighbour keeps a namespace alive.

All that changes a thread's namespace runs in a thread of its own, which ends and takes the change with it. Nobody waits
for its start or its end (`threading` does for the first): the loop would wait for its turn among such threads.
"""

import _thread
import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from madang.node.runtimes.monitor import syscalls
from madang.porch import standing

T = TypeVar("T")
FOLDER = Path("/run/madang/netns")


def place() -> Path:
    """Where courtyards' folders are: inside, nobody else sees the mounts, and /run is not ours."""
    return Path(standing.folder()) / "netns" if standing.inside() else FOLDER


def prepare(folder: Path) -> None:
    """Make the courtyard's folder a mount that propagates; done already is a success."""
    for left in reversed(range(4)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            break
        except FileNotFoundError:  # a neighbour that went down has just removed the empty folder above
            if not left:
                raise
    if not is_mount(folder):
        syscalls.mount(str(folder), str(folder), flags=syscalls.MS_BIND)
    syscalls.mount("none", str(folder), flags=syscalls.MS_SHARED)


def is_mount(path: Path) -> bool:
    return any(place == str(path) for place in mounts())


def mounts() -> Iterator[str]:
    with open("/proc/self/mountinfo") as file:
        for line in file:
            yield line.split(" ", 5)[4].replace("\\040", " ")


def keep(path: Path) -> None:
    """Give the calling thread's network namespace a name."""
    path.touch(0o600)
    syscalls.mount("/proc/thread-self/ns/net", str(path), flags=syscalls.MS_BIND)


def drop(path: Path) -> None:
    """Gone is a success; the namespace goes with its last process."""
    with suppress(OSError):
        syscalls.umount(str(path))
    with suppress(OSError):
        path.unlink()


def alive(path: Path) -> bool:
    """Whether a namespace is mounted there (not only the empty file that a reboot leaves)."""
    try:
        return path.stat().st_dev == os.stat("/proc/self/ns/net").st_dev
    except OSError:
        return False


def clear(folder: Path) -> None:
    for path in list(folder.glob("*")):
        drop(path)
    with suppress(OSError):
        syscalls.umount(str(folder))
    with suppress(OSError):
        folder.rmdir()


def enter_new() -> None:
    """The calling thread, and only it, into a network namespace of its own."""
    syscalls.unshare(syscalls.CLONE_NEWNET)


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a new thread; cancelling waits for its end, since half a namespace helps nobody."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.extend((work(), None))
        except BaseException as error:
            outcome.extend((None, error))
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(None))

    _thread.start_new_thread(run, ())
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait({done})
        raise
    result, error = outcome
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]
