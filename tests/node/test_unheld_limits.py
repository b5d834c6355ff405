"""A limit that cannot hold on this machine is told of once, whichever runtime the pod has."""

from pathlib import Path

import pytest

from madang.node.containers.containers import Containers
from madang.node.images.layout import Layout
from madang.node.images.store import Store
from madang.node.runtimes.oci.machine import Machine
from madang.node.runtimes.runtime import Launch
from tests.node.images.made import put, tar
from tests.node.make_believe import MakeBelieveRuntime
from tests.node.small_house import IMAGE, small_house
from tests.node.virtual import VirtualClock, run


class Unlimited(MakeBelieveRuntime):
    def unheld(self, launch: Launch) -> str:
        return "limits.cpu cannot hold" if launch.cpu_millis else ""


def boxes(home: Path) -> Containers:
    put(Layout(home / "images"), "docker.io/library/tiny:1", [tar()])
    return Containers(Store(home / "images"), Machine())


@pytest.mark.parametrize("image", [IMAGE, "tiny:1"])
def test_it_is_told(tmp_path: Path, image: str) -> None:
    async def story() -> list[tuple[str, int, str]]:
        runtime = Unlimited(VirtualClock(), {})
        async with small_house(tmp_path, runtime=runtime, containers=boxes(tmp_path)) as house:
            container = {"name": "c", "image": image, "command": ["serve"]}
            await house.pod({"containers": [{**container, "resources": {"limits": {"cpu": "500m"}}}]})
            await house.until(house.ready)
            assert (runtime.launches[0].container is not None) == (image != IMAGE)
            return [event for event in house.events() if event[0] == "LimitNotEnforced"]

    assert run(story()) == [("LimitNotEnforced", 1, "limits.cpu cannot hold")]
