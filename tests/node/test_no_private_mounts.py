"""Pods on a machine without private mounts: what a program and its probes name is where the house has put it."""

from pathlib import Path

from madang.node.runtimes import places
from madang.node.runtimes.runtime import Launch
from tests.node.make_believe import MakeBelieveRuntime
from tests.node.small_house import IMAGE, SmallHouse, small_house
from tests.node.virtual import VirtualClock, run


class Bare(MakeBelieveRuntime):
    private_mounts = False

    def refuses(self, launch: Launch) -> str:
        return places.refusal(launch)


def told(home: Path, text: str, *, volume: str = "") -> SmallHouse:
    async def story() -> SmallHouse:
        async with small_house(home, runtime=Bare(VirtualClock(), {})) as house:
            mounts = [{"name": "v", "mountPath": volume}] if volume else []
            container = {"name": "c", "image": IMAGE, "command": ["/bin/sh", "-c", text], "volumeMounts": mounts}
            volumes = [{"name": "v", "emptyDir": {}}] if volume else []
            await house.pod({"containers": [container], "volumes": volumes})
            await house.until(house.ready)
            worker = house.agents.agents[0].worker("default", "p")
            target = await worker.target("c") if worker else None
            assert target is not None
            house.told = [("command", 1, " ".join(target.command(["ls", "/data/ok", "/dev/termination-log"])))]
            return house

    return run(story())


def test_the_termination_log_is_the_pods_own(tmp_path: Path) -> None:
    house = told(tmp_path, "echo why >/dev/termination-log")
    launch = house.runtime.launches[0]
    said = launch.folder.parent / "0.termination-log"
    assert launch.argv[-1] == f"echo why >{said}"
    assert house.told == [("command", 1, f"ls /data/ok {said}")]


def test_a_command_finds_the_volume_that_the_program_uses(tmp_path: Path) -> None:
    house = told(tmp_path, "run --data /data", volume="/data")
    real = house.runtime.launches[0].argv[-1].removeprefix("run --data ")
    assert real.startswith(str(tmp_path))
    assert house.told[0][2].startswith(f"ls {real}/ok ")
