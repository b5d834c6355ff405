"""What an archive offers: its images, under which names, and where each layer stands in it.

In: a `Source`. Out: `Offer`s, for each of the two forms: an OCI layout (index.json and blobs; skopeo, podman, buildah,
`docker save` of today), and what `docker save` wrote before (manifest.json, layers as plain tars). Where an image is
offered for several platforms, the wanted one is chosen.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from madang.node.images.image import Descriptor, descriptor, diff_ids, manifest_parts, platform
from madang.node.images.layout import MANIFEST, REF_NAME
from madang.node.images.limits import BadArchive
from madang.node.images.reference import parse
from madang.node.images.source import Source, document, parsed

CONTAINERD_NAME = "io.containerd.image.name"  # the whole reference, where docker writes only a tag as ref.name
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_NESTED = 4
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "armv6l": "arm/v6", "i686": "386"}


@dataclass(frozen=True, slots=True)
class Part:
    """A layer in the archive. `digest` and `size` are promises to be held; None where the archive's form makes none."""

    file: str
    diff_id: str
    digest: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """`manifest` is None where it is still to be made, from the digests of the layers."""

    refs: tuple[str, ...]
    config: bytes
    parts: tuple[Part, ...]
    manifest: bytes | None = None
    manifest_type: str = MANIFEST
    index: str = ""


def here() -> str:
    """This machine's platform."""
    machine = os.uname().machine
    return f"linux/{_MACHINES.get(machine, machine)}"


def offers(source: Source, wanted: str = "") -> list[Offer]:
    """Raises BadArchive, also where nothing is offered for the platform `wanted` (default: this machine's)."""
    if source.has("index.json"):
        found = list(_oci(source, wanted or here()))
    elif source.has("manifest.json"):
        found = list(_docker(source))
    else:
        raise BadArchive("neither index.json nor manifest.json is in it: no archive of images")
    if not found:
        raise BadArchive("the archive holds no image")
    return found


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _oci(source: Source, wanted: str) -> Iterator[Offer]:
    index = parsed(document(source, "index.json"), "index.json")
    for item in _manifests(index, "index.json"):
        at = _described(item, "index.json: manifests[]")
        refs = _refs(item.get("annotations") or {})
        chosen, index_digest = at, ""
        for _ in range(_NESTED):
            if chosen.media_type not in _INDEXES:
                break
            index_digest = index_digest or chosen.digest
            chosen = _choose(parsed(_blob(source, chosen), chosen.digest), wanted, at.digest)
        else:
            raise BadArchive(f"{at.digest}: indexes in indexes in indexes")
        yield _offer(source, chosen, refs, index_digest)


def _offer(source: Source, at: Descriptor, refs: tuple[str, ...], index: str) -> Offer:
    body = _blob(source, at)
    manifest = parsed(body, at.digest)
    try:
        config_at, layers = manifest_parts(manifest)
        config = _blob(source, config_at)
        ids = diff_ids(parsed(config, config_at.digest))
    except ValueError as error:
        raise BadArchive(f"image {at.digest}: {error}") from error
    if len(ids) != len(layers):
        raise BadArchive(f"image {at.digest}: {len(layers)} layers, but its configuration names {len(ids)}")
    parts = tuple(Part(_file(d.digest), i, d.digest, d.size) for d, i in zip(layers, ids, strict=True))
    return Offer(refs, config, parts, body, str(manifest.get("mediaType") or at.media_type or MANIFEST), index)


def _choose(index: Any, wanted: str, name: str) -> Descriptor:
    """The manifest for a platform; a variant that nobody asked for (arm64/v8) does not matter."""
    there = []
    for item in _manifests(index, name):
        runs_on = item.get("platform")
        text = platform(runs_on) if isinstance(runs_on, dict) else ""
        if not text or text == wanted or text.startswith(f"{wanted}/"):
            return _described(item, name)
        there.append(text)
    offered = ", ".join(t for t in there if "unknown" not in t) or "nothing"
    raise BadArchive(f"image {name} is for {offered}, not for {wanted}")


def _docker(source: Source) -> Iterator[Offer]:
    items = parsed(document(source, "manifest.json"), "manifest.json")
    if not isinstance(items, list):
        raise BadArchive("manifest.json: expected a list")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("Config"), str):
            raise BadArchive("manifest.json: Config: expected the name of a file")
        config = document(source, item["Config"])
        tags, files = item.get("RepoTags") or [], item.get("Layers") or []
        if not all(isinstance(x, str) for x in (*tags, *files)):
            raise BadArchive("manifest.json: expected strings as RepoTags and Layers")
        try:
            ids = diff_ids(parsed(config, item["Config"]))
        except ValueError as error:
            raise BadArchive(f"{item['Config']}: {error}") from error
        if len(ids) != len(files):
            raise BadArchive(f"manifest.json: {len(files)} layers, but {item['Config']} names {len(ids)}")
        parts = tuple(Part(file, one) for file, one in zip(files, ids, strict=True))
        yield Offer(tuple(_name(tag) for tag in tags), config, parts)


def _refs(annotations: Any) -> tuple[str, ...]:
    """A bare word as `ref.name` is a tag of a name that the archive does not tell."""
    if not isinstance(annotations, Mapping):
        return ()
    whole, short = annotations.get(CONTAINERD_NAME), annotations.get(REF_NAME)
    if isinstance(whole, str) and whole:
        return (_name(whole),)
    return (_name(short),) if isinstance(short, str) and set(short) & set("/:@") else ()


def _name(text: str) -> str:
    try:
        return str(parse(text))
    except ValueError as error:
        raise BadArchive(str(error)) from error


def _manifests(index: Any, where: str) -> Sequence[Mapping[str, Any]]:
    found = index.get("manifests") if isinstance(index, dict) else None
    if not isinstance(found, list) or not all(isinstance(m, dict) for m in found):
        raise BadArchive(f"{where}: manifests: expected a list of objects")
    return found


def _described(item: Any, where: str) -> Descriptor:
    try:
        return descriptor(item, where)
    except ValueError as error:
        raise BadArchive(str(error)) from error


def _file(digest: str) -> str:
    return digest.replace("sha256:", "blobs/sha256/")


def _blob(source: Source, at: Descriptor) -> bytes:
    body = document(source, _file(at.digest))
    if len(body) != at.size:
        raise BadArchive(f"{at.digest} has {len(body)} bytes, {at.size} were announced")
    if sha256(body) != at.digest:
        raise BadArchive(f"{at.digest} holds something else: its digest is {sha256(body)}")
    return body
