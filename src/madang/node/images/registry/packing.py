"""An image as it travels: what lies uncompressed in the store is packed, the same bytes every time.

In: the manifest of an image in the store and a folder of one's own. Out: the manifest to push, and for each blob the
file that holds it. A manifest whose layers are all packed goes as it is, so that its digest stays.
"""

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.node.images.flow import CHUNK
from madang.node.images.image import Image
from madang.node.images.layout import MANIFEST, Layout

LEVEL = 6
GZIP_BITS = 31  # zlib's word for a gzip header, which then holds neither a name nor a time
# what may be packed, and what it is then
PACKED = {
    "application/vnd.oci.image.layer.v1.tar": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """`blobs` are files by digest, the configuration last."""

    manifest: bytes
    kind: str
    blobs: dict[str, Path]


def parcel(layout: Layout, image: Image, work: Path) -> Parcel:
    body = layout.blob(image.digest).read_bytes()
    manifest = json.loads(body)
    blobs: dict[str, Path] = {}
    layers = []
    for described in manifest["layers"]:
        if packed := PACKED.get(described.get("mediaType")):
            described = pack(layout.blob(described["digest"]), work, {**described, "mediaType": packed})
            blobs[described["digest"]] = work / described["digest"][7:]
        else:
            blobs[described["digest"]] = layout.blob(described["digest"])
        layers.append(described)
    blobs[image.id] = layout.blob(image.id)
    if layers != manifest["layers"]:
        body = json.dumps({**manifest, "layers": layers}, separators=(",", ":")).encode()
    return Parcel(body, str(manifest.get("mediaType") or MANIFEST), blobs)


def pack(plain: Path, work: Path, described: dict[str, Any]) -> dict[str, Any]:
    """The layer's new descriptor; its blob lies in `work` under its digest."""
    packer, digest, size = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_BITS), hashlib.sha256(), 0
    new = work / f"{plain.name}.packing"
    with open(plain, "rb") as source, open(new, "wb") as out:
        while True:
            chunk = source.read(CHUNK)
            piece = packer.compress(chunk) if chunk else packer.flush()
            digest.update(piece)
            size += out.write(piece)
            if not chunk:
                break
    new.rename(work / digest.hexdigest())
    return {**described, "digest": f"sha256:{digest.hexdigest()}", "size": size}
