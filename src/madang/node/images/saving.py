"""Writing images into one archive that everybody reads: an OCI layout with docker's manifest.json beside it.

In: images of the store, and a file open for writing. Out: a tar whose bytes depend on nothing but the images. Blobs go
out as they came in, so every digest stays. Nothing is collected meanwhile.
"""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from madang.node.images.image import Image
from madang.node.images.layout import INDEX, OCI_LAYOUT, REF_NAME, Layout
from madang.node.images.offers import CONTAINERD_NAME


def save(layout: Layout, images: Mapping[str, Image], out: IO[bytes]) -> None:
    """`images` by the name under which each is to be found again; an image's digest stands for "no name"."""
    with layout.adding(), tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        found = list(dict.fromkeys(images.values()))
        blobs = {d: None for i in found for d in (i.digest, i.id, *(layer.digest for layer in i.layers))}
        for digest in blobs:
            _add_file(archive, _place(digest), layout.blob(digest))
        entries = {e["digest"]: e for e in layout.entries()}
        _add(archive, "index.json", _index(entries, images))
        _add(archive, "manifest.json", _docker(found, images))
        _add(archive, "oci-layout", OCI_LAYOUT)


def _index(entries: Mapping[str, dict[str, Any]], images: Mapping[str, Image]) -> dict[str, Any]:
    listed = []
    for name, image in images.items():
        plain = {k: v for k, v in entries[image.digest].items() if k != "annotations"}
        known = {} if name == image.digest else {"annotations": {REF_NAME: name, CONTAINERD_NAME: name}}
        listed.append({**plain, **known})
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}


def _docker(found: Sequence[Image], images: Mapping[str, Image]) -> list[dict[str, Any]]:
    return [
        {
            "Config": _place(image.id),
            "RepoTags": [n for n, i in images.items() if i == image and "@" not in n and n != image.digest],
            "Layers": [_place(layer.digest) for layer in image.layers],
        }
        for image in found
    ]


def _place(digest: str) -> str:
    return digest.replace("sha256:", "blobs/sha256/")


def _add(archive: tarfile.TarFile, name: str, value: Any) -> None:
    body = json.dumps(value, separators=(",", ":")).encode()
    info = tarfile.TarInfo(name)
    info.size = len(body)
    archive.addfile(info, io.BytesIO(body))


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    with open(path, "rb") as file:
        info.size = path.stat().st_size
        archive.addfile(info, file)
