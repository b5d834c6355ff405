"""Pulling an image, done by a process of its own.

In: the store's folder and a reference. Out: the image, or `PullError` that says what the registry or the archive's
checks said. Cancelled, it leaves nothing visible.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from madang.node.images.asking import Progress, ask
from madang.node.images.image import Image
from madang.node.images.store import Store

WORKER = "madang.node.images.registry.worker"


class PullError(Exception):
    """`status` is the registry's answer (401, 404 ...), 0 where it was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    def without(self, reference: str) -> str:
        """For who has said already which image it is."""
        return str(self).removeprefix(f"{reference}: ")


async def pull(
    folder: Path,
    reference: str,
    *,
    platform: str = "",
    credentials: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Image:
    """`credentials`: a document like docker's config.json, taken instead of the user's own."""
    job = {
        "action": "pull", "folder": str(folder), "reference": reference, "platform": platform,
        "credentials": credentials,
    }  # fmt: skip
    said = await ask(WORKER, job, progress)
    if "loaded" not in said:
        raise PullError(said.get("error") or f"{reference}: {said['ended']}", said.get("status", 0))
    image = Store(folder).find(said["loaded"][0])
    if image is None:
        raise PullError(f"{reference}: it was removed while it was pulled")
    return image
