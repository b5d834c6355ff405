"""A container's image by its pull policy: what a watch and the events show."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from madang.node.containers.containers import Containers
from madang.node.images.layout import Layout
from madang.node.images.registry.pull import PullError
from madang.node.images.store import Store
from madang.node.runtimes.oci.machine import Machine
from madang.ports.api import DeleteOptions
from tests.node.images.made import put, tar
from tests.node.pulling.test_puller import MakeBelieveSource
from tests.node.small_house import SmallHouse, small_house
from tests.node.virtual import run

NEVER_SEEN = "sha256:" + "0" * 64


class Ground:
    def __init__(self, home: Path) -> None:
        self.home, store = home, Store(home / "images")
        self.digest = put(Layout(home / "images"), "docker.io/library/here:1", [tar()])
        self.source = MakeBelieveSource(store)
        self.containers = Containers(store, Machine())

    def house(self) -> Any:
        return small_house(self.home, containers=self.containers, images=self.source)


def spec(image: str, policy: str = "", **more: Any) -> Any:
    container = {"name": "c", "image": image, "command": ["serve"]}
    return {"containers": [{**container, **({"imagePullPolicy": policy} if policy else {})}], **more}


def waiting(house: SmallHouse) -> tuple[str, str]:
    states = house.status().get("containerStatuses") or [{"state": {}}]
    found = states[0]["state"].get("waiting") or {}
    return found.get("reason", ""), found.get("message", "")


def told(house: SmallHouse) -> list[tuple[str, int, str]]:
    return [e for e in house.events() if e[0] in ("Pulling", "Pulled", "BackOff", "Failed", "InspectFailed")]


@pytest.mark.parametrize(
    ("policy", "digest", "says", "asked"),
    [
        ("IfNotPresent", "", "already present on machine and can be accessed by the pod", []),
        ("Never", "", "already present on machine and can be accessed by the pod", []),
        ("Always", "same", "Successfully pulled image", ["current"]),
        ("Always", "newer", "Successfully pulled image", ["current", "bring"]),
        ("Always", "unreached", "whether its registry has a newer one is not known: nobody there", ["current"]),
        ("Always", "denied", "whether its registry has a newer one is not known: denied", ["current"]),
    ],
)
def test_what_is_here(tmp_path: Path, policy: str, digest: str, says: str, asked: list[str]) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        answers = {"same": ground.digest, "newer": NEVER_SEEN, "unreached": PullError("nobody there")}
        ground.source.digest = answers.get(digest, PullError("denied", 401))
        async with ground.house() as house:
            await house.pod(spec("here:1", policy))
            await house.until(house.ready)
            assert [entry.split()[0] for entry in ground.source.log] == asked
            assert says in told(house)[-1][2] and [e[0] for e in told(house)][-1] == "Pulled"

    run(story())


def test_what_is_not_here_is_pulled_once_for_all(tmp_path: Path) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        async with ground.house() as house:
            await house.pod(spec("far:1"))
            await house.pod(spec("far:1"), name="q")
            await house.until(lambda: house.ready() and house.ready("q"))
            assert ground.source.log == ["bring far:1"]
            assert sorted({e[:2] for e in told(house)}) == [("Pulled", 1), ("Pulling", 1)]
            assert "(1s including waiting). Image size: " in str(told(house))
            image = house.status()["containerStatuses"][0]["imageID"]
            assert image.startswith("sha256:")

    run(story())


def test_a_pull_that_fails_is_tried_again_later_and_later(tmp_path: Path) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        ground.source.fails, ground.source.takes_s = PullError("a.io answers 404", 404), 0.0
        async with ground.house() as house:
            begun_s = asyncio.get_running_loop().time()
            await house.pod(spec("a.io/far:1"))
            await house.until(lambda: waiting(house)[0] == "ErrImagePull")
            why = "a.io answers 404; without a registry `madang image load FILE` brings it"
            assert waiting(house)[1] == why
            await house.until(lambda: waiting(house)[0] == "ImagePullBackOff", 3)
            assert waiting(house)[1] == f'Back-off pulling image "a.io/far:1": ErrImagePull: {why}'
            spans = []
            for count in (2, 3, 4):
                await house.until(lambda: len(ground.source.log) == count)  # noqa: B023
                spans.append(round(asyncio.get_running_loop().time() - begun_s))
            assert spans == [10, 30, 70]
            assert house.phase() == "Pending"
            ground.source.fails = None
            await house.until(house.ready, 85)
            assert {e[0] for e in told(house)} == {"Pulling", "Pulled", "BackOff", "Failed"}
            assert len(ground.source.log) == 5

    run(story())


def test_an_image_that_is_loaded_meanwhile_is_noticed(tmp_path: Path) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        ground.source.fails, ground.source.takes_s = PullError("nobody there"), 0.0
        async with ground.house() as house:
            await house.pod(spec("far:1"))
            await asyncio.sleep(200)
            put(Layout(tmp_path / "images"), "docker.io/library/far:1", [tar()])
            await house.until(house.ready, 6)

    run(story())


def test_names_that_are_none_and_images_that_must_be_here(tmp_path: Path) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        async with ground.house() as house:
            await house.pod(spec("No Name"))
            await house.pod(spec("far:1", "Never"), name="q")
            await house.until(lambda: waiting(house)[0] == "InvalidImageName")
            await house.until(lambda: "ErrImageNeverPull" in str(house.status("q")))
            assert ground.source.log == [] and "couldn't parse image name" in waiting(house)[1]

    run(story())


@pytest.mark.parametrize("down", [False, True])
def test_who_goes_does_not_wait_for_a_pull(tmp_path: Path, down: bool) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        ground.source.takes_s = 10_000.0
        async with ground.house() as house:
            await house.pod(spec("far:1"))
            await house.until(lambda: bool(ground.source.log))
            if down:
                await asyncio.wait_for(house.agents.stop_everything(), 5)
            else:
                await house.api.delete("pods", "default", "p", DeleteOptions())
                await house.until(lambda: house.api.view.get("pods", "default", "p") is None, 5)
            assert ground.source.log == ["bring far:1", "cancelled"]

    run(story())


def test_secrets_that_are_missing_are_told(tmp_path: Path) -> None:
    async def story() -> None:
        ground = Ground(tmp_path)
        async with ground.house() as house:
            await house.pod(spec("far:1", imagePullSecrets=[{"name": "none"}]))
            await house.until(house.ready)
            assert any(e[0] == "FailedToRetrieveImagePullSecret" for e in house.events())

    run(story())
