"""Pressure in a whole small house, by figures that are given: what nodes report, who goes, who stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from madang.node.evictor import HELD_S
from madang.node.machine.machine import Figures, low
from madang.node.runtimes.runtime import Running, Sample
from madang.node.volumes.weight import size
from madang.ports.objects import Obj
from tests.node.make_believe import MakeBelieveRuntime
from tests.node.small_house import IMAGE, SmallHouse, small_house
from tests.node.virtual import VirtualClock, run

MI, GI = 1 << 20, 1 << 30
WELL = Figures(4 * GI, 50 * GI, 100 * GI, 10**6, 10**7, 0.1)


class Weighed(MakeBelieveRuntime):
    """`memory`: uid -> bytes."""

    def __init__(self) -> None:
        super().__init__(VirtualClock(), {})
        self.memory: dict[str, int] = {}

    def sample(self, running: Running) -> Sample | None:
        return Sample(0, self.memory.get(running.id[:36], 7 * MI), (running.pid,))


def spec(**more: object) -> Obj:
    return {"containers": [{"name": "app", "image": IMAGE, "command": ["/bin/sh", "-c", "run"], **more}]}


def says(house: SmallHouse, kind: str) -> str:
    node = house.api.view.get("nodes", "", "node-1") or {}
    return next((c["status"] for c in node["status"]["conditions"] if c["type"] == kind), "")


def test_memory(tmp_path: Path) -> None:
    now, runtime = [WELL], Weighed()

    async def scene() -> None:
        async with small_house(tmp_path, runtime=runtime, figures=lambda: now[0]) as house:
            asked = {"resources": {"requests": {"memory": "2Gi"}}}
            for name, used, more in (("greedy", 900 * MI, {}), ("small", 9 * MI, {}), ("modest", 1 * GI, asked)):
                made = await house.pod(spec(**more), name=name)
                runtime.memory[made["metadata"]["uid"]] = used
            await house.until(lambda: all(house.ready(n) for n in ("greedy", "small", "modest")))
            now[0] = replace(WELL, memory_available=60 * MI)
            await house.until(lambda: house.phase("greedy") == "Failed")
            told = house.status("greedy")
            assert told["reason"] == "Evicted" and told["message"].startswith("The node was low on resource: memory. ")
            assert "Container app was using 900Mi, request is 0, has larger" in told["message"]
            assert [c["reason"] for c in told["conditions"] if c["type"] == "DisruptionTarget"] == [
                "TerminationByKubelet"
            ]
            assert "Evicted" in [reason for reason, _, _ in house.events()]
            await house.until(lambda: says(house, "MemoryPressure") == "True")
            now[0] = WELL
            begun = house.agents.samples._clock.monotonic_s()
            await house.until(lambda: says(house, "MemoryPressure") == "False", 2 * HELD_S)
            assert house.agents.samples._clock.monotonic_s() - begun > HELD_S / 2, "its successor waits"
            assert house.ready("small") and house.ready("modest")

    run(scene())


def test_disk(tmp_path: Path) -> None:
    now = [replace(WELL, disk_available=8 * GI)]  # a full laptop

    async def scene() -> None:
        async with small_house(tmp_path, figures=lambda: now[0]) as house:
            made = await house.pod(spec(), name="writer")
            await house.pod(spec(), name="other")
            await house.until(lambda: house.ready("writer") and house.ready("other"))
            folder = tmp_path / "pods" / made["metadata"]["uid"] / "volumes" / "v"
            folder.mkdir(parents=True)
            (folder / "large").write_bytes(b"x" * (70 * MI))
            await house.agents.samples._clock.sleep(60)
            assert house.phase("writer") == "Running" and says(house, "DiskPressure") == "False"
            now[0] = replace(WELL, disk_available=GI // 2)
            await house.until(lambda: house.phase("writer") == "Failed")
            assert house.status("writer")["reason"] == "Evicted"
            assert (
                "low on resource: ephemeral-storage. Threshold quantity: 1073741824"
                in house.status("writer")["message"]
            )
            await house.agents.samples._clock.sleep(60)
            assert house.phase("other") == "Running" and says(house, "DiskPressure") == "True"

    run(scene())


@pytest.mark.parametrize(
    ("figures", "memory", "disk"),
    [
        (WELL, False, False),
        (replace(WELL, memory_available=99 * MI), True, False),
        (replace(WELL, disk_available=2 * GI), False, False),
        (replace(WELL, disk_available=GI - 1), False, True),
        (replace(WELL, disk_total=5 * GI, disk_available=600 * MI), False, False),
        (replace(WELL, disk_total=5 * GI, disk_available=500 * MI), False, True),
        (replace(WELL, inodes_available=100), False, True),
        (replace(WELL, inodes_available=0, inodes_total=0), False, False),
    ],
)
def test_what_is_low(figures: Figures, memory: bool, disk: bool) -> None:
    assert (low(figures).memory, low(figures).disk) == (memory, disk)


def test_a_folder_is_weighed_once_whatever_its_links(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"x" * MI)
    (tmp_path / "in" / "b").hardlink_to(tmp_path / "in" / "a")
    (tmp_path / "in" / "up").symlink_to("/usr")
    assert MI <= size(tmp_path) < 2 * MI
    assert size(tmp_path / "missing") == 0


def test_an_emptydir_that_holds_more_than_it_may(tmp_path: Path) -> None:
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]
    mounts = [{"name": "v", "mountPath": "/v"}]

    async def scene() -> None:
        async with small_house(tmp_path, figures=lambda: WELL) as house:
            made = [await house.pod(spec(volumeMounts=mounts) | {"volumes": volumes}, name=n) for n in ("full", "fit")]
            await house.until(lambda: house.ready("full") and house.ready("fit"))
            for one, count in zip(made, (2 * MI, MI // 2), strict=True):
                folder = tmp_path / "pods" / one["metadata"]["uid"] / "volumes" / "v"
                (folder / "large").write_bytes(b"x" * count)
            await house.until(lambda: house.phase("full") == "Failed")
            told = house.status("full")
            assert (told["reason"], told["message"]) == (
                "Evicted", 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '
            )  # fmt: skip
            assert house.ready("fit")

    run(scene())
