"""What the buttons do, over a real API: the same as the commands; what is refused says why."""

import asyncio
from pathlib import Path

import pytest

from madang.everyday.harm import NothingRuns
from madang.everyday.service import UnknownService
from madang.ports.clock import SystemClock
from madang.ports.errors import BadRequest
from madang.web.deeds import Deeds
from tests.api.house import house

LABELS = {"app": "web"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    },
}


def test_deeds(tmp_path: Path) -> None:
    async def story() -> None:
        async with house() as api:
            deeds = Deeds(api, SystemClock(), tmp_path)
            await api.create("deployments.apps", DEPLOYMENT, namespace="default")
            form = {"namespace": "default", "service": "web"}
            assert (await deeds.do("scale", {**form, "by": "1"})).en == "web: 2 to 3"
            for expected in (2, 1, 0, 0):
                assert (await deeds.do("scale", {**form, "by": "-1"})).ko.endswith(f"{expected}개로")
            assert (await deeds.do("restart", form)).en == "web is being replaced"
            found = await api.get("deployments.apps", "default", "web")
            assert found["spec"]["replicas"] == 0
            assert "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"]["annotations"]
            with pytest.raises(NothingRuns, match="nothing was harmed"):
                await deeds.do("break", {**form, "how": "kill"})
            with pytest.raises(UnknownService, match="did you mean 'web'"):
                await deeds.do("restart", {**form, "service": "wab"})
            for deed, wrong in (
                ("scale", {"by": "9"}),
                ("break", {"how": "eat"}),
                ("drop", {}),
                ("scale", {"service": ""}),
            ):
                with pytest.raises(BadRequest):
                    await deeds.do(deed, {**form, **wrong})
            await deeds.close()

    asyncio.run(story())
