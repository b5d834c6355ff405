"""Bringing an image that is lacking, from Docker or Podman of this machine or from its registry, by its own process.

In: the store's folder, a reference, maybe credentials. Out: the image and who gave it, or `PullError`. `current` only
asks what the registry calls the image now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.node.images.asking import Progress, ask
from madang.node.images.engines import ENGINES
from madang.node.images.image import Image
from madang.node.images.registry.pull import WORKER, PullError
from madang.node.images.store import Store

WITHIN_S = 1.0  # a registry that should say what it has now
GUARD_S = 8.0  # for the process that asks it: a busy machine starts one late


@dataclass(frozen=True, slots=True)
class Brought:
    """`origin` is an engine's name, or a registry's address."""

    image: Image
    origin: str

    @property
    def by_engine(self) -> bool:
        return self.origin in ENGINES


async def bring(
    folder: Path,
    reference: str,
    *,
    platform: str = "",
    credentials: Mapping[str, Any] | None = None,
    engines: bool = True,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Brought:
    """`credentials` (a document like docker's config.json) come before the user's own."""
    job = {
        "action": "bring", "folder": str(folder), "reference": reference, "platform": platform, "engines": engines,
        "credentials": credentials,
    }  # fmt: skip
    said = await ask(WORKER, job, progress)
    if "loaded" not in said:
        raise PullError(said.get("error") or f"{reference}: {said['ended']}", said.get("status", 0))
    image = Store(folder).find(said["loaded"][0])
    if image is None:
        raise PullError(f"{reference}: it was removed while it was pulled")
    return Brought(image, said["from"])


async def current(reference: str, credentials: Mapping[str, Any] | None = None, within_s: float = WITHIN_S) -> str:
    """The digest that the registry gives this name now; PullError where it cannot be had, with status 0 where nobody
    was reached."""
    job = {
        "action": "current", "folder": "/", "reference": reference, "credentials": credentials, "within_s": within_s,
    }  # fmt: skip
    said = await ask(WORKER, job, lambda _: None)
    if "digest" not in said:
        raise PullError(said.get("error") or f"{reference}: {said['ended']}", said.get("status", 0))
    return str(said["digest"])
