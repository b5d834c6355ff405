"""All of an application, or nothing of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from madang import app
from madang.api.direct import DirectApi
from madang.app.application import MADE_FROM
from madang.ports.errors import NotFound
from tests.api.house import house
from tests.app.compose.project_files import application

TEXT = """
services:
  web: {image: madang.dev/host, command: x, x-madang: {scale: {min: 1, max: 5}}}
  job: {image: madang.dev/host, command: "NUMBER", restart: "no"}
"""


def inside(what: Callable[[DirectApi], Awaitable[None]]) -> None:
    async def main() -> None:
        async with house() as api:
            await what(api)

    asyncio.run(main())


def test_a_wrong_object_refuses_the_whole(tmp_path: Path) -> None:
    made = application(tmp_path, TEXT)
    broken: list[Any] = [
        {**o, "spec": {**o["spec"], "replicas": -1}} if o["kind"] == "Deployment" else o for o in made.objects
    ]

    async def what(api: DirectApi) -> None:
        with pytest.raises(app.ApplicationError) as caught:
            await app.apply(api, replace(made, objects=broken))
        at = f"{tmp_path / 'compose.yaml'}:3: services.web: "
        assert caught.value.messages[0].startswith(
            at + 'deployment/web: Deployment.apps "web" is invalid: spec.replicas'
        )
        with pytest.raises(NotFound):
            await api.get("services", "p", "web")

    inside(what)


def test_an_autoscaler_s_number_survives_a_second_up(tmp_path: Path) -> None:
    made = application(tmp_path, TEXT)

    async def what(api: DirectApi) -> None:
        await app.apply(api, made)
        await api.patch("deployments.apps", "p", "web", {"spec": {"replicas": 4}})
        second = await app.apply(api, made)
        assert (await api.get("deployments.apps", "p", "web"))["spec"]["replicas"] == 4
        assert "deployment/web" in second.unchanged

    inside(what)


def test_a_changed_or_failed_job_is_made_anew(tmp_path: Path) -> None:
    made = application(tmp_path, TEXT)

    async def what(api: DirectApi) -> None:
        await app.apply(api, made)
        first = await api.get("jobs.batch", "p", "job")
        await app.apply(api, made)
        assert (await api.get("jobs.batch", "p", "job"))["metadata"]["uid"] == first["metadata"]["uid"]
        changed = await app.apply(api, application(tmp_path, TEXT.replace("NUMBER", "two")))
        assert (await api.get("jobs.batch", "p", "job"))["metadata"]["uid"] != first["metadata"]["uid"]
        assert "job/job" in changed.changed
        wrong = [
            {
                **o,
                "spec": {**o["spec"], "backoffLimit": -1},
                "metadata": {**o["metadata"], "annotations": {MADE_FROM: "x"}},
            }
            if o["kind"] == "Job"
            else o
            for o in made.objects
        ]
        with pytest.raises(app.ApplicationError, match="backoffLimit"):
            await app.apply(api, replace(made, objects=wrong))

    inside(what)


def test_what_another_hand_made_in_the_namespace_stays(tmp_path: Path) -> None:
    made = application(tmp_path, TEXT)

    async def what(api: DirectApi) -> None:
        await app.apply(api, made)
        mine = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "mine", "labels": {"madang.dev/project": "p"}},
        }
        await api.create("configmaps", mine, namespace="p")
        without = [o for o in made.objects if o["metadata"]["name"] != "job"]
        done = await app.apply(api, replace(made, objects=without))
        assert sorted(done.removed) == ["job/job", "service/job"]
        assert await api.get("configmaps", "p", "mine")

    inside(what)


def test_a_service_that_gets_its_first_port(tmp_path: Path) -> None:
    made = application(tmp_path, TEXT)

    async def what(api: DirectApi) -> None:
        await app.apply(api, made)
        with_port = application(tmp_path, TEXT.replace("command: x", "command: x, expose: ['80']"))
        done = await app.apply(api, with_port)
        assert "service/web" in done.changed
        assert (await api.get("services", "p", "web"))["spec"]["clusterIP"] != "None"

    inside(what)
