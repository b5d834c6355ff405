"""The hour is set back a day while pods run: nothing restarts, nothing waits for that day to pass, samples stay sane.

The clock is the injected one: what the process sees of the hour, while the steady clock goes on.
"""

import asyncio
from pathlib import Path

import pytest

from madang.ports.api import DeleteOptions
from tests.node.small_house import IMAGE, small_house
from tests.node.virtual import VirtualClock, run

PROBE = {"httpGet": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}
SPEC = {
    "terminationGracePeriodSeconds": 2,
    "containers": [
        {
            "name": "c",
            "image": IMAGE,
            "command": ["/bin/sh", "-c", "run"],
            "livenessProbe": PROBE,
            "readinessProbe": PROBE,
        }
    ],
}


@pytest.mark.parametrize("restarted", [False, True], ids=["goes on", "is killed and starts again"])
def test_a_day_back(restarted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod(SPEC)
            await house.until(house.ready)
            await asyncio.sleep(5)
            real = VirtualClock.now_s
            monkeypatch.setattr(VirtualClock, "now_s", lambda self: real(self) - 86_400)
            task = None
            if restarted:
                house.halt()
                await asyncio.sleep(0.1)
                house.agents = house.new_agents()
                task = asyncio.create_task(house.agents.run())
            for _ in range(50):
                await asyncio.sleep(0.1)
                usage = house.agents.samples.pod("default", "p")
                assert usage is None or usage.containers["c"].cpu_cores < 1
                assert house.ready()
            (told,) = house.status()["containerStatuses"]
            assert told["restartCount"] == 0 and house.agents.samples.pod("default", "p") is not None
            await house.api.delete("pods", "default", "p", DeleteOptions())
            await house.until(lambda: house.api.view.get("pods", "default", "p") is None, 5)
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    run(story())
