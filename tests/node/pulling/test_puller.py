"""One pull for all who wait for an image; registries that nobody answered for."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from madang.node.images.layout import Layout
from madang.node.images.reference import parse
from madang.node.images.registry.bring import Brought
from madang.node.images.registry.pull import PullError
from madang.node.images.store import Store
from madang.node.pulling.puller import AT_ONCE, Asked, Puller
from madang.node.pulling.secrets import Credentials
from tests.node.images.made import put, tar
from tests.node.virtual import VirtualClock, run

NOBODY = Credentials()


class MakeBelieveSource:
    """`takes_s` of virtual time for each pull; what it `answers` is said at once."""

    def __init__(self, store: Store, takes_s: float = 1.0) -> None:
        self.store, self.takes_s = store, takes_s
        self.fails: PullError | None = None
        self.digest: str | PullError = ""
        self.log: list[str] = []
        self.now = self.most = 0

    async def bring(self, reference: str, config: Mapping[str, Any] | None, engines: bool) -> Brought:
        self.log.append(f"bring {reference}")
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        finally:
            self.now -= 1
        if self.fails is not None:
            raise self.fails
        digest = put(self.store.layout, str(parse(reference)), [tar()])
        image = self.store.find(digest)
        assert image is not None
        return Brought(image, "https://registry")

    async def current(self, reference: str, config: Mapping[str, Any] | None) -> str:
        self.log.append(f"current {reference}")
        if isinstance(self.digest, PullError):
            raise self.digest
        return self.digest


@pytest.fixture
def source(tmp_path: Path) -> MakeBelieveSource:
    return MakeBelieveSource(Store(tmp_path / "images"))


def test_who_waits_for_the_same_image_shares_one_pull(source: MakeBelieveSource) -> None:
    async def story() -> None:
        puller = Puller(source.store, VirtualClock(), source)
        same = [puller.bring(name, NOBODY) for name in ("x:1", "docker.io/library/x:1", "x:1")]
        other = puller.bring("x:1", Credentials({"auths": {"docker.io": {}}}))
        found = await asyncio.gather(*same, other)
        assert len({image.image.digest for image, _ in found}) == 1 and found[0][1] == pytest.approx(1)
        assert source.log == ["bring x:1", "bring x:1"]  # with other credentials it is another question

    run(story())


def test_a_few_at_once(source: MakeBelieveSource) -> None:
    async def story() -> None:
        puller = Puller(source.store, VirtualClock(), source)
        await asyncio.gather(*(puller.bring(f"x:{n}", NOBODY) for n in range(8)))
        assert source.most == AT_ONCE

    run(story())


def test_the_last_who_leaves_ends_it(source: MakeBelieveSource) -> None:
    async def story() -> None:
        puller = Puller(source.store, VirtualClock(), source)
        waiting = [asyncio.create_task(puller.bring("x:1", NOBODY)) for _ in range(2)]
        await asyncio.sleep(0.1)
        waiting[0].cancel()
        await asyncio.sleep(0.1)
        assert "cancelled" not in source.log
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert source.log == ["bring x:1", "cancelled"]
        found, _ = await puller.bring("x:1", NOBODY)  # and the next begins anew
        assert found.image.refs

    run(story())


def test_a_failure_is_everybodys(source: MakeBelieveSource) -> None:
    async def story() -> None:
        puller = Puller(source.store, VirtualClock(), source)
        source.fails = PullError("no", 404)
        found = await asyncio.gather(*(puller.bring("x:1", NOBODY) for _ in range(2)), return_exceptions=True)
        assert [str(each) for each in found] == ["no", "no"] and len(source.log) == 1

    run(story())


def test_what_the_registry_has_now(source: MakeBelieveSource, tmp_path: Path) -> None:
    async def story() -> None:
        puller = Puller(source.store, VirtualClock(), source)
        image = source.store.find(put(Layout(tmp_path / "images"), "docker.io/library/x:1", [tar()]))
        assert image is not None
        source.digest = image.digest
        assert await puller.ask("x:1", image, NOBODY) == Asked()
        source.digest = "sha256:" + "0" * 64
        assert (await puller.ask("x:1", image, NOBODY)).newer
        source.digest = ""  # a registry that does not say
        assert (await puller.ask("x:1", image, NOBODY)).newer
        source.digest = PullError("denied", 401)
        assert await puller.ask("x:1", image, NOBODY) == Asked(why="denied")
        assert await puller.ask("x:1", image, NOBODY) == Asked(why="denied") and len(source.log) == 5

    run(story())


def test_who_did_not_answer_is_not_asked_again_at_once(source: MakeBelieveSource, tmp_path: Path) -> None:
    async def story() -> None:
        puller = Puller(source.store, VirtualClock(), source)
        image = source.store.find(put(Layout(tmp_path / "images"), "docker.io/library/x:1", [tar()]))
        assert image is not None
        source.digest = PullError("nobody there")

        async def asked(name: str = "x:1") -> int:
            before = len(source.log)
            assert (await puller.ask(name, image, NOBODY)).why == "nobody there"
            return len(source.log) - before

        assert [await asked(), await asked("y:1"), await asked("a.io/x")] == [1, 0, 1]
        await asyncio.sleep(61)
        assert [await asked(), await asked()] == [1, 0]
        await asyncio.sleep(61)
        assert await asked() == 0, "the pause has doubled"
        await puller.bring("y:1", NOBODY)  # somebody was there
        assert await asked() == 1

    run(story())
