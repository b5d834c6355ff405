"""Whole lives over the API in memory: owners go with all they own, Jobs end, namespaces empty, order is kept."""

import asyncio
import json
from typing import Any

from madang.ports.api import DeleteOptions
from tests.loops.node import running, until
from tests.loops.test_house import DEPLOYMENTS, SERVICE, SETS, SLICES, available, deployment

JOBS = "jobs.batch"


def left(api: Any, namespace: str) -> list[str]:
    kinds = (DEPLOYMENTS, SETS, "pods", SLICES, JOBS, "services")
    return [f"{kind}/{o['metadata']['name']}" for kind in kinds for o in api.view.list(kind, namespace)
            if o["metadata"]["name"] != "kubernetes"]  # fmt: skip


def test_what_is_deleted_is_gone_with_all_that_it_owned() -> None:
    async def story() -> None:
        async with running() as api:
            for propagation in ("Background", "Foreground"):
                await api.create(DEPLOYMENTS, deployment(2), namespace="default")
                await api.create("services", SERVICE, namespace="default")
                await until(api, lambda: available(api, 2))
                await api.delete(DEPLOYMENTS, "default", "d", DeleteOptions(propagation=propagation))  # type: ignore[arg-type]
                await api.delete("services", "default", "s")
                await until(api, lambda: left(api, "default") == [])

    asyncio.run(story())


def test_a_namespace_goes_with_its_content() -> None:
    async def story() -> None:
        async with running() as api:
            await api.create("namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "n"}})
            d = deployment(2)
            d["metadata"]["namespace"] = "n"
            await api.create(DEPLOYMENTS, d, namespace="n")
            await until(api, lambda: len(api.view.list("pods", "n")) == 2)
            await api.delete("namespaces", "", "n")
            await until(api, lambda: api.view.get("namespaces", "", "n") is None)
            assert left(api, "n") == [] and not api.view.list("events", "n") and not api.view.list("configmaps", "n")

    asyncio.run(story())


def job(name: str, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "default"},
            "spec": {"template": template, **spec}}  # fmt: skip


def test_a_job_completes_and_lifts_the_gate_of_who_waits() -> None:
    async def story() -> None:
        async with running(ends=lambda pod: "Succeeded" if pod["metadata"]["name"].startswith("j-") else None) as api:
            gate = "madang.dev/depends-on"
            notes = {gate: json.dumps([{"job": "j", "condition": "completed"}])}
            waiting: dict[str, Any] = {
                "kind": "Pod",
                "apiVersion": "v1",
                "metadata": {"name": "w", "namespace": "default", "annotations": notes},
                "spec": {"containers": [{"name": "c", "image": "i"}], "schedulingGates": [{"name": gate}]},
            }
            await api.create("pods", waiting, namespace="default")
            await until(api, lambda: any(e["reason"] == "WaitingForDependencies"
                                         for e in api.view.list("events", "default")))  # fmt: skip
            assert "nodeName" not in (api.view.get("pods", "default", "w") or {})["spec"]
            await api.create(JOBS, job("j", completions=3, parallelism=2), namespace="default")
            await until(api, lambda: (api.view.get("pods", "default", "w") or {})["spec"].get("nodeName"))
            status = (api.view.get(JOBS, "default", "j") or {})["status"]
            assert status["succeeded"] == 3 and status["uncountedTerminatedPods"] == {}
            assert [c["type"] for c in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]
            await api.delete(JOBS, "default", "j", DeleteOptions(propagation="Background"))
            await until(api, lambda: len(api.view.list("pods", "default")) == 1)

    asyncio.run(story())
