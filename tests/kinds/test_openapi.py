"""OpenAPI documents: what kubectl looks up in them before it applies."""

import pytest

from madang.kinds import openapi
from madang.kinds.table import SERVED, Served


def test_the_index_names_every_group_version() -> None:
    paths = openapi.index()["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/autoscaling/v1", "apis/events.k8s.io/v1"} <= paths.keys()
    assert paths["api/v1"]["serverRelativeURL"].startswith("/openapi/v3/api/v1?hash=")


@pytest.mark.parametrize("served", SERVED, ids=lambda s: f"{s.api_version} {s.kind.kind}")
def test_a_patch_takes_field_validation(served: Served) -> None:
    found = openapi.document(served.group, served.version)
    assert found is not None
    patches = [item["patch"] for item in found["paths"].values() if "patch" in item]
    wanted = {"group": served.group, "version": served.version, "kind": served.kind.kind}
    own = [patch for patch in patches if patch["x-kubernetes-group-version-kind"] == wanted]
    assert bool(own) == ("patch" in served.kind.verbs)
    for patch in own:
        assert "fieldValidation" in {parameter["name"] for parameter in patch["parameters"]}
        strategic = "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
        assert strategic != served.node.custom


def test_merge_keys_and_references_resolve() -> None:
    found = openapi.document("apps", "v1")
    assert found is not None
    schemas = found["components"]["schemas"]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge" and containers["x-kubernetes-list-type"] == "map"
    resources = schemas["io.k8s.api.core.v1.ResourceRequirements"]["properties"]
    quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"
    assert resources["limits"]["additionalProperties"] == {"allOf": [{"$ref": f"#/components/schemas/{quantity}"}]}
    assert quantity in schemas
    text = str(schemas)
    for name in schemas:
        assert name in text
    assert schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"] == [
        {"group": "apps", "version": "v1", "kind": "Deployment"},
    ]  # fmt: skip
    assert openapi.document("nope", "v1") is None
