"""The work of a load: every layer of an archive once through `Flow` and `TreeWriter`, then its name in the index.

In: a `Job`'s parts, in a process that may be killed at any instruction. Out: the manifests' digests. The order makes
it safe: a blob or a tree is filled in a folder of its own, synced, and takes its name in one rename; the index, which
alone makes an image visible, is written last. What a killed load leaves lies in `work/` or is a blob that nothing
names: the next load of the same archive uses the latter, the next collection removes both.
"""

import ctypes
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from madang.node.images.flow import GZIP, ZSTD, Flow
from madang.node.images.implied import adopt, chain, to_adopt
from madang.node.images.layout import FORMAT, MANIFEST, Layout, remove
from madang.node.images.limits import BadArchive
from madang.node.images.naming import give
from madang.node.images.offers import CONFIG, LAYER, Offer, Part, offers, sha256
from madang.node.images.reference import parse
from madang.node.images.source import Source, open_source
from madang.node.images.store import entry
from madang.node.images.tree import TreeWriter
from madang.ports.durable import sync_folder

Say = Callable[[str, int, int], None]  # (which layer, bytes done, bytes in all)
_KINDS = {GZIP: "+gzip", ZSTD: "+zstd"}


def take(layout: Layout, archive: Path, say: Say, tags: tuple[str, ...] = (), platform: str = "") -> list[str]:
    """Raises BadArchive, NoRoom and OSError; nothing is visible then that was not before."""
    layout.make()
    with layout.adding() as work, open_source(archive, work) as source:
        return take_from(layout, source, work, say, tags, platform)


def take_from(
    layout: Layout, source: Source, work: Path, say: Say, tags: tuple[str, ...] = (), platform: str = ""
) -> list[str]:
    """The same of anything that reads like an archive; `work` is a folder of one's own (`Layout.adding`)."""
    names = tuple(str(parse(tag)) for tag in tags)
    found = offers(source, platform)
    if names and len(found) != 1:
        raise BadArchive(f"the archive holds {len(found)} images: which of them is to be named {tags[0]}?")
    taken = []
    for offer in found:
        digest, size, kind = _image(layout, work, source, offer, say)
        taken.append((entry(digest, size, "", offer.index, kind), names or offer.refs))
    with layout.changing() as entries:
        for described, refs in taken:
            give(entries, described, refs)
    return [described["digest"] for described, _ in taken]


def _image(layout: Layout, work: Path, source: Source, offer: Offer, say: Say) -> tuple[str, int, str]:
    """(digest, size, media type) of the manifest, when all that it speaks of is in the store."""
    layers: list[dict[str, Any]] = []
    stack = Stack()
    for i, part in enumerate(offer.parts):
        told = f"{i + 1}/{len(offer.parts)}"
        stack.chain = chain(stack.chain, part.diff_id)
        layers.append(_layer(layout, work / f"{i}", source, part, stack, partial(say, told)))
        remove(work / f"{i}")
    manifest = offer.manifest
    if manifest is None:
        config = {"mediaType": CONFIG, "digest": sha256(offer.config), "size": len(offer.config)}
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        manifest = json.dumps(body, separators=(",", ":")).encode()
    for document in (offer.config, manifest):
        layout.write(layout.blob(sha256(document)), document)
    return sha256(manifest), len(manifest), offer.manifest_type


@dataclass(slots=True)
class Stack:
    """What a layer stands on: `trees` below it, the highest first; `chain` with the layer itself."""

    trees: tuple[Path, ...] = ()
    chain: str = ""


def _layer(
    layout: Layout, work: Path, source: Source, part: Part, stack: Stack, say: Callable[[int, int], None]
) -> dict[str, Any]:
    """The layer's descriptor, when its blob and its tree are in the store."""
    digest = part.digest or part.diff_id  # without a promise: a plain tar, whose digest is its diff_id
    total = source.size(part.file)
    if part.size not in (None, total):
        raise BadArchive(f"{digest} has {total} bytes, {part.size} were announced")
    blob, key = layout.blob(digest), _there(layout, part.diff_id, stack)
    if key and blob.exists():
        say(total, total)
        described = {"mediaType": LAYER, "digest": digest, "size": blob.stat().st_size}
    else:
        (work / "tree" / "fs").mkdir(parents=True)
        try:
            digest, kind, adopted = _unpack(work, source, part, stack.trees, say)
        except BadArchive as error:
            raise BadArchive(f"layer {digest}: {error}") from error
        key = stack.chain if adopted else part.diff_id
        _publish(layout, work, digest, part.diff_id, key)
        described = {"mediaType": kind, "digest": digest, "size": total}
    stack.trees = (layout.tree(key) / "fs", *stack.trees)
    return described


def _there(layout: Layout, diff_id: str, stack: Stack) -> str:
    """Under which key the layer's tree is there, fit for what it stands on; empty: it is to be unpacked."""
    if layout.unpacked(diff_id, stack.chain) is not None:
        return stack.chain
    tree = layout.unpacked(diff_id)
    return diff_id if tree is not None and not to_adopt(tree.implied, stack.trees) else ""


def _unpack(
    work: Path, source: Source, part: Part, below: tuple[Path, ...], say: Callable[[int, int], None]
) -> tuple[str, str, bool]:
    """(digest, media type, whether folders took over what they are from the trees `below`)."""
    total = source.size(part.file)

    def told() -> Iterator[bytes]:
        done = 0
        for chunk in source.chunks(part.file):
            yield chunk
            done += len(chunk)
            say(done, total)

    root = os.open(work / "tree" / "fs", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fchmod(root, 0o755)
        writer = TreeWriter(root)
        with open(work / "blob", "wb", buffering=0) as keep:
            with Flow(told(), keep) as flow:
                writer.write(flow)
                digest, diff_id = flow.finish()
            if part.digest not in (None, digest):
                raise BadArchive(f"it holds something else: its digest is {digest}")
            if diff_id != part.diff_id:
                raise BadArchive(f"unpacked it is {diff_id}, the configuration says {part.diff_id}")
            os.fchmod(keep.fileno(), 0o600)
            os.fsync(keep.fileno())
        tree = writer.finish(diff_id)
        looks = to_adopt(tree.implied, below)
        adopt(work / "tree" / "fs", looks)
        record = {"format": FORMAT, **asdict(tree)}
        (work / "tree" / "record.json").write_text(json.dumps(record))
        _sync_disk(root)
    finally:
        os.close(root)
    with open(work / "blob", "rb") as blob:
        first = blob.read(4)
    kind = next((f"{LAYER}{suffix}" for magic, suffix in _KINDS.items() if first.startswith(magic)), LAYER)
    return digest, kind, bool(looks)


def _publish(layout: Layout, work: Path, digest: str, diff_id: str, key: str) -> None:
    target = layout.tree(key)
    if layout.unpacked(diff_id, key) is None:
        with suppress(FileNotFoundError):  # a tree without its record: damaged, and nobody's
            target.rename(work / "damaged")
        with suppress(OSError):  # another load was quicker: its tree is the same
            (work / "tree").rename(target)
    if layout.unpacked(diff_id, key) is None:
        raise OSError(f"{target} can not be made")
    (work / "blob").rename(layout.blob(digest))
    sync_folder(layout.trees)
    sync_folder(layout.blobs)


def _sync_disk(fd: int) -> None:
    """Thousands of files at once: one call for the file system is far quicker than one for each."""
    if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
