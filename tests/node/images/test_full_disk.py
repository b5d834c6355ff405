"""A load onto a disk that fills is refused with what helps; nothing of it is visible or left, and the next works."""

import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from madang.node.images import source, tree
from madang.node.images.layout import Layout
from madang.node.images.limits import LIMITS, NoRoom
from madang.node.images.loading import take
from madang.node.images.store import Store
from madang.node.images.worker import disk_error
from tests.node.images.made import image_blobs, member, oci_archive, tar


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_load_onto_a_disk_that_fills(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [tar(member("a", b"little")), tar(member("b", os.urandom(3 << 20)))]
    archive = oci_archive(tmp_path / "a.tar", ("docker.io/library/redis:7", *image_blobs(layers)))
    layout = Layout(small / "images")
    assert str(NoRoom()).endswith(
        "256 MiB would be left on the disk: make room, for instance by `madang image prune --all`"
    )
    for module in (tree, source):
        monkeypatch.setattr(module, "LIMITS", replace(LIMITS, reserve_bytes=0))
    with pytest.raises(OSError) as refused:
        take(layout, archive, lambda *_: None)
    assert refused.value.errno == errno.ENOSPC
    assert "the disk is full: make room, for instance by `madang image prune" in disk_error(refused.value, "a.tar")
    assert Store(layout.home).all() == [] and list(layout.work.iterdir()) == []
    subprocess.run(["mount", "-o", "remount,size=32m", str(small)], check=True)
    take(layout, archive, lambda *_: None)
    found = Store(layout.home).find("redis:7")
    assert found is not None and (found.layers[1].folder / "b").stat().st_size == 3 << 20
