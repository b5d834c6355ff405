"""The images of this machine, as who runs containers asks for them.

In: the folder of a store (place.py), and references. Out: `Image`s whose layers are unpacked and whole. Everything
is read from disk (and remembered until the index changes), so that any process may add and remove beside this one.
"""

import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.images.holders import BUILD, court_of, lives
from madang.node.images.image import (
    Image,
    Layer,
    descriptor,
    diff_ids,
    image_config,
    made_by,
    manifest_parts,
    platform,
    steps,
)
from madang.node.images.implied import chain
from madang.node.images.layout import MANIFEST, REF_NAME, Layout
from madang.node.images.reference import parse

INDEX_DIGEST = "dev.madang.index.digest"  # of the multi-platform index that the manifest was chosen from


class Damaged(Exception):
    """A blob or a tree that the index speaks of is gone or no longer what it was."""


class Store:
    """Opened on a folder, which is made where there is none."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        self.layout.make()
        self._seen: tuple[int, int, int] | None = None
        self._images: list[Image] = []
        self._by_name: dict[str, Image] = {}

    def find(self, ref: str) -> Image | None:
        """`redis:7`, `docker.io/library/redis:7`, `name@sha256:...`, `sha256:...` (a manifest, an index of several
        platforms, or a configuration). ValueError where `ref` is no reference."""
        wanted = parse(ref)
        self._read()
        return self._by_name.get(wanted.digest or str(wanted))

    def all(self) -> list[Image]:
        self._read()
        return list(self._images)

    def hold(self, image: Image, holder: str) -> None:
        """Until `release`, nothing of `image` is collected. `holder` is a file name (holders.py); it outlives
        processes. Raises `Damaged` where the image was removed meanwhile."""
        folder = self.layout.use(image.digest)
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / holder).touch()
        if self.find(image.digest) is None:
            self.release(image.digest, holder)
            raise Damaged(f"image {image.digest} was removed")

    def release(self, digest: str, holder: str) -> None:
        with suppress(FileNotFoundError):
            (self.layout.use(digest) / holder).unlink()

    def keep_holders(self, court: str, living: Collection[str]) -> None:
        """Of the holders of a courtyard (empty: of none) only these are left: for who starts and knows what runs. Those
        of others stay, unless they are no more."""
        for use in self.layout.uses.glob("*/*"):
            mine = court_of(use.name) == court and not use.name.startswith(BUILD)
            if (mine and use.name not in living) or not lives(use.name, self.layout.home.parent):
                use.unlink(missing_ok=True)

    def holders(self, digest: str) -> list[str]:
        """Those that live."""
        try:
            found = sorted(os.listdir(self.layout.use(digest)))
        except FileNotFoundError:
            return []
        return [name for name in found if lives(name, self.layout.home.parent)]

    def last_used(self, digest: str) -> float:
        """Seconds since the epoch: when somebody last took it or let go of it, else when it came."""
        for path in (self.layout.use(digest), self.layout.blob(digest)):
            with suppress(OSError):
                return path.stat().st_mtime
        return 0.0

    def _read(self) -> None:
        try:
            status = self.layout.index.stat()
            now = (status.st_ino, status.st_mtime_ns, status.st_size)
        except FileNotFoundError:
            now = (0, 0, 0)
        if now == self._seen:
            return
        named: dict[str, tuple[list[str], list[str]]] = {}
        for entry in self.layout.entries():
            annotations = entry.get("annotations") or {}
            refs, indexes = named.setdefault(entry["digest"], ([], []))
            refs += [r for r in [annotations.get(REF_NAME)] if r]
            indexes += [i for i in [annotations.get(INDEX_DIGEST)] if i]
        self._images, self._by_name = [], {}
        for digest, (refs, indexes) in named.items():
            with suppress(Damaged):
                image = read_image(self.layout, digest, tuple(refs))
                self._images.append(image)
                self._by_name |= dict.fromkeys([*refs, *indexes, image.digest, image.id], image)
        self._seen = now


def read_image(layout: Layout, digest: str, refs: tuple[str, ...] = ()) -> Image:
    """The image of that manifest. Raises `Damaged`."""
    try:
        manifest = json.loads(layout.blob(digest).read_bytes())
        config_at, layers_at = manifest_parts(manifest)
        config = json.loads(layout.blob(config_at.digest).read_bytes())
        ids, history = diff_ids(config), steps(config)
        if len(ids) != len(layers_at):
            raise Damaged(f"image {digest}: {len(layers_at)} layers, but {len(ids)} diff_ids")
        layers, stack = [], ""
        for at, diff_id, made in zip(layers_at, ids, made_by(history, len(ids))):
            stack = chain(stack, diff_id)
            key = stack if layout.unpacked(diff_id, stack) is not None else diff_id
            tree = layout.unpacked(diff_id, key)
            if tree is None:
                raise Damaged(f"image {digest}: layer {diff_id} is not unpacked here")
            folder = layout.tree(key) / "fs"
            layers.append(Layer(at.digest, diff_id, at.size, folder, made, tree.size_bytes))
        return Image(
            refs, digest, config_at.digest, image_config(config), tuple(layers), platform(config),
            str(config.get("created") or ""), history,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise Damaged(f"image {digest}: {error}") from error


def entry(digest: str, size: int, ref: str = "", index: str = "", kind: str = "") -> dict[str, Any]:
    """A descriptor of the store's index."""
    annotations = {k: v for k, v in ((REF_NAME, ref), (INDEX_DIGEST, index)) if v}
    found = {"mediaType": kind or MANIFEST, "digest": digest, "size": size}
    descriptor(found, "index")
    return {**found, "annotations": annotations} if annotations else found
