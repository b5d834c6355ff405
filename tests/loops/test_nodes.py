"""A node falls silent in a whole house: what its loops make of it, from the first miss to the replacement elsewhere."""

import asyncio
from typing import Any

from madang.control.nodehealth import ready_node
from madang.node.pulses import MISSES, Pulses
from tests.loops.node import running, until
from tests.loops.test_house import DEPLOYMENTS, SERVICE, SLICES, available, deployment

AT_ONCE = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}
    for key in ("not-ready", "unreachable")
]


def conditions(api: Any, name: str) -> dict[str, str]:
    node = api.view.get("nodes", "", name)
    return {c["type"]: c["status"] for c in node["status"]["conditions"]}


def serving(api: Any) -> set[str]:
    """Nodes of the endpoints that get traffic."""
    slices = [s for s in api.view.list(SLICES) if s["metadata"]["name"].startswith("s-")]
    return {e["nodeName"] for s in slices for e in s["endpoints"] or () if e["conditions"]["ready"]}


def homes(api: Any) -> list[str]:
    """Where the pods are that nobody deletes; "" for one that waits for a place."""
    pods = api.view.list("pods", "default")
    return [p["spec"].get("nodeName", "") for p in pods if "deletionTimestamp" not in p["metadata"]]


def reasons(api: Any) -> set[str]:
    return {e["reason"] for e in api.view.list("events")}


def test_a_silent_node_loses_traffic_and_then_its_pods() -> None:
    async def story() -> None:
        pulses = Pulses(["node-1", "node-2"])
        async with running(nodes=2, liveness=pulses) as api:
            d = deployment(2)
            d["spec"]["template"]["spec"]["tolerations"] = AT_ONCE
            await api.create(DEPLOYMENTS, d, namespace="default")
            await api.create("services", SERVICE, namespace="default")
            await until(api, lambda: available(api, 2) and serving(api) == {"node-1", "node-2"})
            for _ in range(MISSES + 1):
                pulses.count()
                pulses.answer("node-2")
            await until(api, lambda: conditions(api, "node-1")["Ready"] == "Unknown")
            await until(api, lambda: serving(api) == {"node-2"})
            # the Deployment's own count may still be that of before
            await until(api, lambda: homes(api) == ["node-2", "node-2"] and available(api, 2))
            await until(api, lambda: reasons(api) >= {"NodeNotReady", "TaintManagerEviction"})
            assert ready_node(api.view.get("nodes", "", "node-2") or {})

    asyncio.run(story())
