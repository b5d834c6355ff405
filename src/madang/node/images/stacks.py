"""The images as stacks of layers, for who draws them: asked only while somebody looks, read beside the loop.

In: the folder of a store. Out: `ports.streams.Stack`s, grouped as `madang image history` groups them. What was read is
kept until the store's index is another.
"""

import asyncio
import threading
from pathlib import Path

from madang.node.images.history import rows, shown
from madang.node.images.image import Image
from madang.node.images.reference import parse
from madang.node.images.store import Store
from madang.ports.streams import Stack, StackLayer


class StoredStacks:
    """`folder` is the store's; nothing is opened before the first question."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: Store | None = None
        self._images: list[Image] = []
        self._stacks: tuple[Stack, ...] = ()
        self._one = threading.Lock()  # who was cancelled may leave a thread that still reads

    async def stacks(self) -> tuple[Stack, ...]:
        return await asyncio.to_thread(self.read)

    def read(self) -> tuple[Stack, ...]:
        """The same for who may wait. Raises OSError."""
        with self._one:
            if self._store is None:
                self._store = Store(self._folder)
            images = self._store.all()
            if images != self._images:
                self._images, self._stacks = images, tuple(map(stack, images))
            return self._stacks


def stack(image: Image) -> Stack:
    """Pure."""
    layers = tuple(
        StackLayer(row.layer.diff_id, row.group, row.layer.unpacked_bytes, shown(row.step.created_by))
        for row in rows(image)
        if row.layer is not None
    )
    return Stack(image.id, image.digest, tuple(parse(ref).familiar for ref in image.refs), layers)
