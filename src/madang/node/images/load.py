"""Taking the images of an archive into the store, in a process of its own: unpacking keeps a core busy for seconds.

In: the store's folder and a file (or folder) that `docker save`, `podman save`, `skopeo copy` or we have made. Out: the
images, or `LoadError` that says what is wrong with which part of the archive.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from madang.node.images.asking import Progress, ask
from madang.node.images.image import Image
from madang.node.images.store import Store

__all__ = ["Job", "LoadError", "Progress", "load"]


class LoadError(Exception):
    """The archive was refused, or could not be read, or the disk was full: the message says which."""


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
    said = await ask("madang.node.images.worker", asdict(job), progress)
    if "loaded" not in said:
        raise LoadError(said.get("error") or f"{archive}: {said['ended']}")
    store = Store(folder)
    return [image for digest in said["loaded"] if (image := store.find(digest)) is not None]
