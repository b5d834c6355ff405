"""A load as its callers see it: a process of its own that ends with whoever asked."""

import asyncio
import os
from pathlib import Path

import pytest

from madang.node.images.layout import Layout
from madang.node.images.load import LoadError, Progress, load
from madang.node.images.store import Store
from tests.node.images.made import image_blobs, member, oci_archive, tar

REF = "docker.io/library/redis:7"


def archive(tmp_path: Path) -> Path:
    return oci_archive(tmp_path / "a.tar", (REF, *image_blobs([tar(member("a", b"x"))])))


def test_images_and_progress(tmp_path: Path) -> None:
    said: list[Progress] = []
    found = asyncio.run(load(tmp_path / "images", archive(tmp_path), progress=said.append, tags=("mine",)))
    assert [i.refs for i in found] == [("docker.io/library/mine:latest",)]
    assert (found[0].layers[0].folder / "a").read_text() == "x"
    assert said[-1].part == "1/1" and said[-1].done_bytes == said[-1].total_bytes


@pytest.mark.parametrize(("name", "says"), [("missing.tar", "No such file"), ("junk", "no archive|tar header|number")])
def test_refusals_name_the_file(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "junk").write_bytes(b"junk" * 500)
    with pytest.raises(LoadError, match=f"{name}: .*({says})"):
        asyncio.run(load(tmp_path / "images", tmp_path / name))


def test_who_stops_waiting_stops_the_worker(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    ours = os.open(tmp_path / "never", os.O_RDWR)  # whoever reads waits for us, and we for nobody
    layout = Layout(tmp_path / "images")

    async def stopped() -> None:
        waiting = asyncio.create_task(load(layout.home, tmp_path / "never"))
        while not waiting.done() and not (layout.work.exists() and list(layout.work.iterdir())):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    try:
        asyncio.run(stopped())
    finally:
        os.close(ours)
    with layout.alone():  # nobody holds it any more
        assert not list(layout.work.iterdir())
    assert Store(tmp_path / "images").all() == []
