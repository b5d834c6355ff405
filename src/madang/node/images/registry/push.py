"""Pushing an image, done by a process of its own.

In: the store's folder and the name of an image in it. Out: the digest under which the registry has it, or `PushError`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from madang.node.images.asking import Progress, ask
from madang.node.images.registry.pull import WORKER


class PushError(Exception):
    pass


async def push(
    folder: Path,
    reference: str,
    *,
    credentials: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> str:
    job = {"action": "push", "folder": str(folder), "reference": reference, "credentials": credentials}
    said = await ask(WORKER, job, progress)
    if "pushed" not in said:
        raise PushError(said.get("error") or f"{reference}: {said['ended']}")
    return str(said["pushed"])
