"""A field without effect is named, never passed in silence."""

import pytest

from madang.kinds import schema, table
from madang.kinds.warnings import WARNINGS, ignored


def test_every_row_names_a_field_that_there_is() -> None:
    for kind, fields in ignored.FIELDS.items():
        for field in fields:
            node: schema.Node | None = table.stored(table.by_id(kind)).node
            for step in field.path.split("."):
                assert node is not None and step.removesuffix("[]") in node.fields, f"{kind}: {field.path}"
                node = node.fields[step.removesuffix("[]")]
                if step.endswith("[]"):
                    node = node.items


@pytest.mark.parametrize(("kind", "at"), [("pods", "spec"), ("deployments.apps", "spec.template.spec")])
def test_what_was_asked_is_named_with_its_place(kind: str, at: str) -> None:
    spec = {
        "dnsPolicy": "ClusterFirst",
        "containers": [{"name": "a"}, {"name": "b", "securityContext": {"privileged": False, "capabilities": {
            "drop": ["ALL"]}}}],
        "hostPID": True,
    }  # fmt: skip
    inner = {"spec": spec} if kind == "pods" else {"spec": {"template": {"spec": spec}}}
    obj = {"metadata": {"name": "x", "generation": 1}, **inner}
    warn = WARNINGS[kind]
    assert list(warn(obj, None)) == [
        f"{at}.containers[1].securityContext.capabilities: accepted; it holds where the pod runs in a container, "
        "and nothing acts on it where it does not",
        f"{at}.hostPID: accepted, but nothing acts on it yet",
    ]
    assert list(warn(obj, obj)) == []


def test_defaults_ask_for_nothing() -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster"}
    assert ignored.of("services", {"spec": spec}) == []
    assert ignored.of("services", {"spec": {**spec, "trafficDistribution": "PreferClose"}}) == [
        "spec.trafficDistribution: accepted, but nothing acts on it yet"
    ]


def test_what_makes_a_job_or_an_autoscaler_idle_is_named() -> None:
    metrics = [{"type": "Resource", "resource": {"name": "cpu"}}, {"type": "External", "external": {"target": {}}}]
    scaler = {"metadata": {"name": "x"}, "spec": {"metrics": metrics}}
    said = WARNINGS["horizontalpodautoscalers.autoscaling"](scaler, None)
    assert said == [f"spec.metrics[1].external: {ignored.TEXT}"]
    job = {"metadata": {"name": "x"}, "spec": {"podFailurePolicy": {"rules": []}, "template": {"spec": {}}}}
    assert WARNINGS["jobs.batch"](job, None) == [f"spec.podFailurePolicy: {ignored.TEXT}"]
