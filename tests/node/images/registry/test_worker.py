"""Pull and push as their callers see them: a process of its own."""

import asyncio
from pathlib import Path

import pytest

from madang.node.images.asking import Progress
from madang.node.images.layout import Layout
from madang.node.images.registry.pull import PullError, pull
from madang.node.images.registry.push import PushError, push
from madang.node.images.store import Store
from tests.node.images.made import image_blobs, member, tar
from tests.node.images.registry.fake import Registry

IMAGE, BLOBS = image_blobs([tar(member("a", b"x"))])


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("MADANG_MIRRORS", raising=False)


def test_there_and_back(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.user = "me:secret"
    ref, said = f"{registry.domain}/a:1", list[Progress]()
    mine = {"auths": {registry.domain: {"username": "me", "password": "secret"}}}
    image = asyncio.run(pull(layout.home, ref, credentials=mine, progress=said.append))
    assert image.digest == IMAGE and image.refs == (ref,) and (image.layers[0].folder / "a").read_text() == "x"
    assert said[-1].done_bytes == said[-1].total_bytes > 0
    registry.blobs.clear()
    assert asyncio.run(push(layout.home, ref, credentials=mine)) == IMAGE and len(registry.blobs) == 2


def test_refusals(registry: Registry, layout: Layout) -> None:
    ref = f"{registry.domain}/a:1"
    with pytest.raises(PullError, match=f"{ref}: .* answers 404 UNKNOWN") as refused:
        asyncio.run(pull(layout.home, ref))
    assert refused.value.status == 404
    with pytest.raises(PullError, match=r"no registry|lower case|expected names"):
        asyncio.run(pull(layout.home, "UPPER/Case"))
    with pytest.raises(PushError, match="no image here has this name"):
        asyncio.run(push(layout.home, ref))


def test_who_stops_waiting_stops_the_pull(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    layer = next(d for d in BLOBS if BLOBS[d].startswith(b"\x1f\x8b"))

    async def stopped() -> None:
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stall(handler: object) -> None:
            loop.call_soon_threadsafe(asked.set)
            handler.rfile.read(1)  # type: ignore[attr-defined]  # until the other side hangs up

        registry.faults = [(layer, stall)]
        waiting = asyncio.create_task(pull(layout.home, f"{registry.domain}/a:1"))
        await asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(stopped())
    with layout.alone():  # nobody holds it any more
        assert not list(layout.work.iterdir())
    assert Store(layout.home).all() == []
