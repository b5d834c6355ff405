"""Which images go: by hand (`rm`, `prune`), and by themselves where the disk fills, the longest unused first.

In: the images as `Candidate`s, and how full the disk is. Out of the decisions (pure): digests. `let_go` takes them out
of the index, `sweep` removes what no image speaks of any more. Whatever a container holds stays, under no name if need
be. The thresholds are those of a kubelet: above 85 % used, images go until it is 80 %; none younger than two minutes.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from madang.node.images.image import Image
from madang.node.images.layout import REF_NAME, Layout, remove
from madang.node.images.store import Damaged, Store, read_image

HIGH, LOW = 0.85, 0.80
YOUNG_S = 120


@dataclass(frozen=True, slots=True)
class Candidate:
    digest: str
    layers: tuple[tuple[str, int], ...]  # (diff_id, bytes on disk)
    last_used: float
    held: bool = False
    named: bool = True


def to_free(used_bytes: int, total_bytes: int) -> int:
    """How many bytes are to go from a disk; 0 while it is not too full."""
    return max(0, used_bytes - int(total_bytes * LOW)) if used_bytes > total_bytes * HIGH else 0


def longest_unused(images: Sequence[Candidate], free_bytes: int, now: float) -> list[str]:
    """Those without a name first. A layer weighs only with the last image that has it."""
    users = Counter(layer for image in images for layer, _ in set(image.layers))
    gone: list[str] = []
    for image in sorted(images, key=lambda i: (i.named, i.last_used, i.digest)):
        if free_bytes <= 0:
            break
        if image.held or now - image.last_used < YOUNG_S:
            continue
        gone.append(image.digest)
        for layer, size in set(image.layers):
            users[layer] -= 1
            if users[layer] == 0:
                free_bytes -= size
    return gone


def unused(images: Iterable[Candidate], *, named_too: bool) -> list[str]:
    """What `prune` removes: images without a name; with `named_too` all that no container holds."""
    return [i.digest for i in images if not i.held and (named_too or not i.named)]


def candidates(store: Store) -> list[Candidate]:
    return [
        Candidate(
            i.digest,
            tuple((layer.diff_id, layer.unpacked_bytes + layer.size) for layer in i.layers),
            store.last_used(i.digest),
            bool(store.holders(i.digest)),
            bool(i.refs),
        )
        for i in store.all()
    ]


def untag(store: Store, image: Image, ref: str) -> None:
    """Take one name off; the image stays, without a name if it was the last."""
    with store.layout.changing() as entries:
        mine = [e for e in entries if e["digest"] == image.digest]
        for entry in [e for e in mine if (e.get("annotations") or {}).get(REF_NAME) == ref]:
            if len(mine) > 1:
                entries.remove(entry)
            else:
                del entry["annotations"][REF_NAME]


def let_go(store: Store, digests: Collection[str]) -> list[str]:
    """Out of the index; which of them went. What somebody holds stays, without a name. Who takes one between our look
    and the end of the change finds it gone: `Store.hold` marks first and looks into the index after."""
    went = []
    with store.layout.changing() as entries:
        before = [e for e in entries if e["digest"] in digests]
        for digest in dict.fromkeys(e["digest"] for e in before):
            mine = [e for e in before if e["digest"] == digest]
            for entry in mine:
                entries.remove(entry)
            if store.holders(digest):
                bare = {k: v for k, v in (mine[0].get("annotations") or {}).items() if k != REF_NAME}
                entries.append({**mine[0], "annotations": bare})
            else:
                went.append(digest)
    return went


def bytes_to_free(store: Store) -> int:
    """Of the disk that the store is on, as it is now."""
    disk = os.statvfs(store.layout.home)
    total = disk.f_blocks * disk.f_frsize
    return to_free(total - disk.f_bavail * disk.f_frsize, total)


def make_room(store: Store, now: float) -> list[str]:
    """After something came: if the disk is too full, the longest unused images go. Nothing where somebody loads."""
    wanted = bytes_to_free(store)
    if not wanted:
        return []
    gone = let_go(store, longest_unused(candidates(store), wanted, now))
    with suppress(BlockingIOError):
        sweep(store.layout)
    return gone


def sweep(layout: Layout) -> int:
    """Remove blobs and trees that nothing in the index leads to; the bytes freed. Raises BlockingIOError while somebody
    loads: what is new is in no index yet. A tree leaves its name in one step, so that none is ever visible by half."""
    with layout.alone():
        blobs, trees, manifests = _reached(layout)
        freed = 0
        for blob in layout.blobs.iterdir():
            if blob.name not in blobs:
                freed += blob.stat().st_size
                blob.unlink(missing_ok=True)
        for tree in layout.trees.iterdir():
            if tree.name not in trees:
                record = layout.record(tree)
                freed += record.size_bytes if record else 0
                tree.rename(layout.work / tree.name)
                remove(layout.work / tree.name)
        for use in layout.uses.iterdir():
            if use.name not in manifests:
                remove(use)
    return freed


def _reached(layout: Layout) -> tuple[set[str], set[str], set[str]]:
    """Names of (blobs, trees, manifests). A damaged image keeps its manifest alone: it is to be loaded again."""
    blobs: set[str] = set()
    trees: set[str] = set()
    manifests = {e["digest"].removeprefix("sha256:") for e in layout.entries()}
    for name in manifests:
        blobs.add(name)
        try:
            image = read_image(layout, f"sha256:{name}")
        except Damaged:
            continue
        blobs |= {b.removeprefix("sha256:") for b in (image.id, *(layer.digest for layer in image.layers))}
        trees |= {layer.folder.parent.name for layer in image.layers}
    return blobs, trees, manifests
