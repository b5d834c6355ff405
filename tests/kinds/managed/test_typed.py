from typing import Any

import pytest

from madang.kinds.managed.typed import refuse_untyped
from madang.kinds.schema import node
from madang.ports.errors import StatusError

CONFIG_MAP, DEPLOYMENT = node("", "v1", "ConfigMap"), node("apps", "v1", "Deployment")


def deployment(containers: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": containers}}
    meta = {"name": "d", "namespace": "n"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {**spec, "template": template}}


def test_what_is_known_passes() -> None:
    refuse_untyped(deployment([{"name": "a", "ports": [{"containerPort": 1}]}], replicas=1), DEPLOYMENT)
    refuse_untyped({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {"a": "b"}}}, CONFIG_MAP)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (deployment([], nope=1), ".spec.nope: field not declared in schema"),
        (
            deployment([{"image": "i"}]),
            ".spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "
            '"name" (and doesn\'t have default value)',
        ),
        (
            deployment([{"name": "a"}, {"name": "a"}]),
            '.spec.template.spec.containers: duplicate entries for key [name="a"]',
        ),
        (
            deployment([{"name": "a", "x": 1, "y": 2}]),
            'errors:\n  .spec.template.spec.containers[name="a"].x: field not declared in schema\n'
            '  .spec.template.spec.containers[name="a"].y: field not declared in schema',
        ),
    ],
)
def test_what_is_not_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(StatusError) as fault:
        refuse_untyped(body, DEPLOYMENT)
    assert fault.value.code == 500
    assert fault.value.message == f"failed to create typed patch object (n/d; apps/v1, Kind=Deployment): {words}"
