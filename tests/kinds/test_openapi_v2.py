"""The OpenAPI v2 document: whole in itself, in the older version's words."""

from collections.abc import Iterator
from typing import Any

from madang.kinds.openapi_v2 import document
from madang.kinds.table import SERVED


def test_every_kind_is_defined_and_every_reference_resolves() -> None:
    definitions = document()["definitions"]
    named = {
        (one["group"], one["version"], one["kind"])
        for schema in definitions.values()
        for one in schema.get("x-kubernetes-group-version-kind", ())
    }
    assert {(s.group, s.version, s.kind.kind) for s in SERVED} <= named
    for name, schema in definitions.items():
        for reference in references(schema):
            assert reference.removeprefix("#/definitions/") in definitions, f"{name}: {reference}"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        assert "oneOf" not in value and "allOf" not in value
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(inner)


def test_what_v3_leaves_open_is_a_string() -> None:
    definitions = document()["definitions"]
    assert definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] == {"type": "string"}
    port = definitions["io.k8s.api.core.v1.ServicePort"]["properties"]["targetPort"]
    assert port == {"$ref": "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"}
    containers = definitions["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
