"""`madang build`: from a folder with a Dockerfile to an image in the store.

In: an `Asked` (folder, Dockerfile, arguments, names), the courtyard's folder. Out: the image. Raises `Refused` where
the Dockerfile is wrong, `Failed` where a step fails, `NoBase` where an image that it stands on is not here.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from madang.dockerfile import ignore
from madang.dockerfile.parsing import Dockerfile, parse
from madang.node.building import layers
from madang.node.building.building import Bench, Building, Told
from madang.node.building.cache import Cache, Made
from madang.node.building.fetching import Fetching
from madang.node.building.pruning import after_build
from madang.node.building.runner import Runner
from madang.node.building.trees import Context
from madang.node.images.build.plan import EPOCH, Request, plan
from madang.node.images.build.steps import Base, Plan, Wanted
from madang.node.images.holders import of_this_process
from madang.node.images.image import Image
from madang.node.images.layout import MANIFEST
from madang.node.images.load import load
from madang.node.images.place import opened
from madang.node.images.store import Store

CONFIG, LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}


class NoBase(Exception):
    """An image is not on this machine; `ref` where it could be brought."""

    def __init__(self, message: str, ref: str = "") -> None:
        super().__init__(message)
        self.ref = ref


@dataclass(frozen=True, slots=True)
class Asked:
    """`epoch` is SOURCE_DATE_EPOCH: seconds since 1970, None where nobody gave it. `text` stands for a Dockerfile
    that is no file."""

    folder: Path
    dockerfile: Path
    names: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    epoch: int | None = None
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    fresh: bool = False
    text: str = ""

    def read(self) -> Dockerfile:
        return parse(self.text or self.dockerfile.read_text())


def platform() -> str:
    machine = os.uname().machine
    return f"linux/{MACHINES.get(machine, machine)}"


async def build(
    asked: Asked, home: Path, runner: Runner, tell: Callable[[Told], None], warn: Callable[[str], None]
) -> Image:
    """`home` is a courtyard's: the image goes to the store that it shares, the cache keeps what steps made."""
    store, cache = opened(home), Cache.of(home)
    context = Context(asked.folder, ignored(asked))
    created = EPOCH if asked.epoch is None else moment(asked.epoch)
    seconds = int(datetime.fromisoformat(created).timestamp())
    clamp = asked.epoch is not None
    holder = of_this_process()
    found: dict[str, Image] = {}
    try:
        with cache.used(after_build) as alone, cache.work() as work:
            if alone:
                runner.sweep()
            fetching = Fetching(work / "fetched")
            planned, found = await asyncio.to_thread(drawn, asked, store, context, fetching)
            for text in planned.warnings:
                warn(text)
            for image in found.values():
                store.hold(image, holder)
            bench = Bench(context, found, cache, runner, fetching, seconds, clamp, asked.secrets, asked.fresh, tell)
            building = Building(planned, bench)
            made = await building.run()
            return await stored(store, cache, planned, building.root_image(planned.target), made, asked.names)
    finally:
        for image in found.values():
            store.release(image.digest, holder)


class Contents:
    """What a plan asks of the build's folder, and of what is fetched."""

    def __init__(self, context: Context, fetching: Fetching) -> None:
        self.digest, self.fetched = context.digest, fetching.digest


def drawn(asked: Asked, store: Store, context: Context, fetching: Fetching) -> tuple[Plan, dict[str, Image]]:
    """What is to be done, and the images that it stands on. Raises `Refused`, `NoBase` and `Failed`."""
    created = EPOCH if asked.epoch is None else moment(asked.epoch)
    request = Request(asked.args, asked.target, platform(), created)
    return settle(asked.read(), request, store, Contents(context, fetching))


def ignored(asked: Asked) -> ignore.Ignore:
    """Beside the Dockerfile under its name, else in the folder."""
    own = asked.dockerfile.with_name(f"{asked.dockerfile.name}.dockerignore")
    for path in (own, asked.folder / ".dockerignore"):
        if path.is_file():
            return ignore.Ignore(path.read_text())
    return ignore.Ignore("")


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def settle(file: Dockerfile, request: Request, store: Store, contents: Contents) -> tuple[Plan, dict[str, Image]]:
    """The plan, and the images that it stands on: those that triggers name are known only from other images."""
    bases: dict[str, Base] = {}
    found: dict[str, Image] = {}
    while True:
        planned = plan(file, request, bases, contents)
        if isinstance(planned, Plan):
            return planned, found
        assert isinstance(planned, Wanted)
        for ref in planned.refs:
            found[ref] = base(store, ref, request.platform)
            config = json.loads(store.layout.blob(found[ref].id).read_bytes())
            bases[ref] = Base(json.dumps([layer.diff_id for layer in found[ref].layers]), config)


def base(store: Store, ref: str, wanted: str) -> Image:
    try:
        image = store.find(ref)
    except ValueError as error:
        raise NoBase(str(error)) from error
    if image is None:
        raise NoBase(f'the image "{ref}" is not here; bring it with `madang image pull` or `madang image load`', ref)
    if image.platform and image.platform.split("/")[:2] != wanted.split("/")[:2]:
        raise NoBase(f'the image "{ref}" is for {image.platform}, this machine runs {wanted}')
    return image


async def stored(
    store: Store, cache: Cache, planned: Plan, root: Image | None, made: list[Made], names: tuple[str, ...]
) -> Image:
    """The image in the store. One that is there already under all its names is not unpacked again."""
    with cache.work() as work:
        lay_out(work, store, planned, root, made)
        digest = json.loads((work / "index.json").read_bytes())["manifests"][0]["digest"]
        same = store.find(digest)
        if same is not None and all((at := store.find(name)) and at.digest == digest for name in names):
            return same
        (image,) = await load(store.layout.home, work, tags=names)
        return image


def lay_out(work: Path, store: Store, planned: Plan, root: Image | None, made: list[Made]) -> None:
    """An OCI layout of the image: blobs are links to those that are there."""
    blobs = work / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    described: list[dict[str, Any]] = []
    below = root.layers if root is not None else ()
    if root is not None:
        manifest = json.loads(store.layout.blob(root.digest).read_bytes())
        described += manifest["layers"]
        for layer in below:
            os.link(store.layout.blob(layer.digest), blobs / layer.digest.removeprefix("sha256:"))
    full = [one for one in made if one.diff_id != layers.EMPTY]
    for one in full:
        described.append({"mediaType": LAYER, "digest": one.diff_id, "size": one.size})
        place = blobs / one.diff_id.removeprefix("sha256:")
        if not place.exists():
            os.link(one.blob, place)
    diff_ids = [layer.diff_id for layer in below] + [one.diff_id for one in full]
    config = put(blobs, {**configured(planned.target.config, made), "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": CONFIG, **config}, "layers": described}
    index = {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, **put(blobs, body)}]}
    (work / "index.json").write_text(json.dumps(index))
    (work / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def configured(config: Mapping[str, Any], made: list[Made]) -> dict[str, Any]:
    """Steps that changed nothing make no layer: their lines of the history say so."""
    history = [dict(entry) for entry in config["history"]]
    lines = [entry for entry in history if not entry.get("empty_layer")]
    for entry, one in zip(lines[len(lines) - len(made) :], made):
        if one.diff_id == layers.EMPTY:
            entry["empty_layer"] = True
    return {**config, "history": history}


def put(blobs: Path, body: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    digest = sha256(text).hexdigest()
    (blobs / digest).write_bytes(text)
    return {"digest": f"sha256:{digest}", "size": len(text)}
