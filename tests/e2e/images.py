"""A small image in a courtyard's store, before it starts: busybox, as `docker save` would bring it."""

import asyncio
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from madang.node.images.load import load
from madang.node.images.place import images
from tests.node.images.made import image_blobs, oci_archive
from tests.node.runtimes.oci import busybox

TINY = "tiny:1"


def bring(home: Path, scratch: Path, **run: Any) -> None:
    """Skips where there is no static busybox."""
    program = busybox.static()
    if program is None:
        pytest.skip("no static busybox to make an image of: install Debian's busybox-static")
    folder, packed = busybox.layer(scratch / "layer", program), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder, arcname=".", filter=_roots)
    digest, blobs = image_blobs([packed.getvalue()], Env=["PATH=/bin", "FROM=image"], **run)
    file = oci_archive(scratch / "tiny.tar", (f"docker.io/library/{TINY}", digest, blobs))
    home.mkdir(parents=True, exist_ok=True)
    asyncio.run(load(images(home), file))


def _roots(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    return info
