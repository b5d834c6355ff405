"""Images made by hand, for tests: layers as tar bytes, stores filled without a load."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from madang.node.images.layout import MANIFEST, REF_NAME, Layout


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def member(name: str, body: bytes | None = None, **more: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A file; with `type=` anything else."""
    info = tarfile.TarInfo(name)
    info.size = len(body or b"")
    for key, value in more.items():
        setattr(info, key, value)
    return info, body or b""


def tar(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for info, body in members:
            archive.addfile(info, io.BytesIO(body))
    return out.getvalue()


def config_of(layers: list[bytes], **run: Any) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]},
        "history": [{"created_by": f"step {i}"} for i in range(len(layers))],
    }


def image_blobs(layers: list[bytes], **run: Any) -> tuple[str, dict[str, bytes]]:
    """(digest of the manifest, all blobs) of an image with gzipped layers."""
    packed = [gzip.compress(layer, mtime=0) for layer in layers]
    config = json.dumps(config_of(layers, **run)).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": about(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [about(layer, "application/vnd.oci.image.layer.v1.tar+gzip") for layer in packed],
        }
    ).encode()
    return sha256(manifest), {sha256(b): b for b in [config, manifest, *packed]}


def about(body: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": sha256(body), "size": len(body)}


def oci_archive(path: Path, *images: tuple[str, str, dict[str, bytes]]) -> Path:
    """Of (reference, manifest digest, blobs)."""
    files = {f"blobs/sha256/{d[7:]}": b for _, _, blobs in images for d, b in blobs.items()}
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    entries = [{**about(blobs[d], MANIFEST), "annotations": {REF_NAME: ref}} for ref, d, blobs in images]
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    path.write_bytes(tar(*(member(name, body) for name, body in files.items())))
    return path


def put(layout: Layout, ref: str, layers: list[bytes], **run: Any) -> str:
    """An image in the store with trees that hold nothing; its manifest's digest."""
    layout.make()
    digest, blobs = image_blobs(layers, **run)
    for one, body in blobs.items():
        layout.blob(one).write_bytes(body)
    for layer in layers:
        tree = layout.tree(sha256(layer))
        (tree / "fs").mkdir(parents=True, exist_ok=True)
        record = {"format": 1, "diff_id": sha256(layer), "size_bytes": len(layer), "entries": 0, "left_out": 0}
        (tree / "record.json").write_text(json.dumps(record))
    with layout.changing() as entries:
        entries.append({**about(blobs[digest], MANIFEST), "annotations": {REF_NAME: ref}})
    return digest
