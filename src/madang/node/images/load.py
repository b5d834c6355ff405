"""Taking the images of an archive into the store, in a process of its own: unpacking keeps a core busy for seconds.

In: the store's folder and a file (or folder) that `docker save`, `podman save`, `skopeo copy` or we have made. Out: the
images, or `LoadError` that says what is wrong with which part of the archive.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from madang.node.images.image import Image
from madang.node.images.store import Store

LINE = 1 << 20  # a line of progress is far shorter; the last lists digests


class LoadError(Exception):
    """The archive was refused, or could not be read, or the disk was full: the message says which."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`done_bytes` of `total_bytes` of this layer's blob are unpacked; `part` says which of how many."""

    part: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Job:
    """What the worker is told, as one line of JSON."""

    folder: str
    archive: str
    tags: tuple[str, ...] = ()
    platform: str = ""


async def load(
    folder: Path,
    archive: Path,
    *,
    tags: tuple[str, ...] = (),
    platform: str = "",
    progress: Callable[[Progress], None] = lambda _: None,
) -> list[Image]:
    """`tags` are names for an archive that holds one image; `platform` chooses from several, default this machine's.
    If the wait is cancelled the worker is ended, and nothing of the load is visible."""
    job = Job(str(folder), str(archive), tags, platform)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "madang.node.images.worker",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE,
    )  # fmt: skip
    assert worker.stdin is not None and worker.stdout is not None
    try:
        # the pipe stays open: when we end, however we end, the worker reads its end and ends, too
        worker.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
        digests: list[str] | None = None
        async for line in worker.stdout:
            said = json.loads(line)
            if "error" in said:
                raise LoadError(said["error"])
            if "loaded" in said:
                digests = said["loaded"]
            else:
                progress(Progress(**said))
        if digests is None:
            raise LoadError(f"{archive}: the worker ended early (status {await worker.wait()})")
    finally:
        if worker.returncode is None:
            worker.stdin.close()
            try:
                await asyncio.wait_for(worker.wait(), 2)
            except TimeoutError:
                worker.kill()
                await worker.wait()
    store = Store(folder)
    return [image for digest in digests if (image := store.find(digest)) is not None]
