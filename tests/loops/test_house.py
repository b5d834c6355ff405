"""The loops over the real API in memory: a Deployment runs, rolls, heals, scales; endpoints and Events follow."""

import asyncio
from typing import Any

from tests.loops.node import running, until

DEPLOYMENTS, SETS, SLICES = "deployments.apps", "replicasets.apps", "endpointslices.discovery.k8s.io"


def deployment(replicas: int, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "a"}}, "template": template, **spec},
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s", "namespace": "default"},
    "spec": {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080}]},
}


def available(api: Any, size: int) -> bool:
    status = (api.view.get(DEPLOYMENTS, "default", "d") or {}).get("status", {})
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0) == size
    return bool(settled and status.get("availableReplicas", 0) == size)


def test_a_deployment_runs_rolls_and_heals() -> None:
    async def story() -> None:
        async with running() as api:
            await api.create(DEPLOYMENTS, deployment(3), namespace="default")
            await api.create("services", SERVICE, namespace="default")
            await until(api, lambda: available(api, 3))

            def ready() -> list[str]:
                return [e["targetRef"]["name"] for s in api.view.list(SLICES, "default")
                        if s["metadata"]["labels"].get("kubernetes.io/service-name") == "s"
                        for e in s["endpoints"] or () if e["conditions"]["ready"]]  # fmt: skip

            await until(api, lambda: len(ready()) == 3)
            patch = {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
            await api.patch(DEPLOYMENTS, "default", "d", patch)
            await until(api, lambda: available(api, 3) and len(api.view.list(SETS, "default")) == 2)
            await until(api, lambda: len(api.view.list("pods", "default")) == 3)
            await api.delete("pods", "default", api.view.list("pods", "default")[0]["metadata"]["name"])
            await until(api, lambda: available(api, 3) and len(ready()) == 3)
            await api.patch(DEPLOYMENTS, "default", "d", {"spec": {"replicas": 1}})
            await until(api, lambda: available(api, 1) and len(ready()) == 1)
            revision = api.desk.store.revision
            await asyncio.sleep(0.2)
            assert api.desk.store.revision <= revision + 20  # only Events trail behind: nothing spins
            told = [(e["reason"], e["source"].get("component") or e["reportingComponent"])
                    for e in api.view.list("events", "default")]  # fmt: skip
            for expected in (
                ("ScalingReplicaSet", "deployment-controller"),
                ("SuccessfulCreate", "replicaset-controller"),
                ("SuccessfulDelete", "replicaset-controller"),
                ("Scheduled", "default-scheduler"),
            ):
                assert expected in told

    asyncio.run(story())


def test_what_fits_nowhere_is_told_and_placed_once_there_is_room() -> None:
    async def story() -> None:
        async with running(cpu="1") as api:

            def big(name: str) -> dict[str, Any]:
                container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "800m"}}}
                return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
                        "spec": {"containers": [container]}}  # fmt: skip

            def scheduled(name: str) -> dict[str, Any]:
                pod = api.view.get("pods", "default", name) or {"status": {}}
                return next((c for c in pod["status"].get("conditions", []) if c["type"] == "PodScheduled"), {})

            await api.create("pods", big("first"), namespace="default")
            await until(api, lambda: scheduled("first").get("status") == "True")
            await api.create("pods", big("second"), namespace="default")
            await until(api, lambda: scheduled("second").get("reason") == "Unschedulable")
            assert scheduled("second")["message"] == (
                "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
                "0/1 nodes are available: 1 No preemption victims found for incoming pod."
            )
            await until(api, lambda: any(e["reason"] == "FailedScheduling" for e in api.view.list("events", "default")))
            await api.delete("pods", "default", "first")
            await until(api, lambda: scheduled("second").get("status") == "True")

    asyncio.run(story())


def test_a_gated_pod_waits_and_then_goes() -> None:
    async def story() -> None:
        async with running() as api:
            pod: dict[str, Any] = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "p", "namespace": "default"},
                "spec": {"containers": [{"name": "c", "image": "i"}], "schedulingGates": [{"name": "x.example/w"}]},
            }
            await api.create("pods", pod, namespace="default")
            await asyncio.sleep(0.05)
            assert "nodeName" not in (api.view.get("pods", "default", "p") or {})["spec"]
            await api.patch("pods", "default", "p", {"spec": {"schedulingGates": None}})
            await until(api, lambda: (api.view.get("pods", "default", "p") or {})["spec"].get("nodeName") == "node-1")

    asyncio.run(story())


def test_a_pod_of_higher_priority_takes_the_place_of_a_lesser_one() -> None:
    async def story() -> None:
        async with running(cpu="1") as api:
            high = {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": "high"},
                "value": 9,
            }
            await api.create("priorityclasses.scheduling.k8s.io", high)
            container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "800m"}}}
            for name, more in (("lesser", {}), ("vip", {"priorityClassName": "high"})):
                pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
                pod["spec"] = {"containers": [container], **more}
                await api.create("pods", pod, namespace="default")
                await until(api, lambda n=name: (api.view.get("pods", "default", n) or {})["spec"].get("nodeName"))
            assert api.view.get("pods", "default", "lesser") is None
            await until(api, lambda: any(e["reason"] == "Preempted" for e in api.view.list("events", "default")))

    asyncio.run(story())
