"""The schema trees: the committed file is what the tool makes; the trees say what patches and decoding need."""

import json
import runpy
from pathlib import Path

import pytest

from madang.kinds import schema

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_is_what_the_tool_makes() -> None:
    pytest.importorskip("kubernetes_validate", reason="kubernetes-validate (a development dependency) is not installed")
    tool = runpy.run_path(str(ROOT / "tools" / "reduce_schemas.py"))
    made = tool["text"](tool["reduce"]())
    assert tool["TARGET"].read_text() == made, "run python tools/reduce_schemas.py"
    assert json.loads(tool["DESCRIPTIONS"].read_text()) == tool["described"]()


def test_a_pod_knows_its_merge_keys() -> None:
    pod = schema.node("", "v1", "Pod")
    containers = pod.fields["spec"].fields["containers"]
    assert (containers.list_type, containers.list_keys, containers.merge_key) == ("map", ("name",), "name")
    assert containers.patch_strategy == {"merge"} and containers.always
    assert pod.fields["spec"].fields["volumes"].patch_strategy == {"merge", "retainKeys"}
    container = containers.items
    assert container is not None and container.go_type == "Container"
    ports = container.fields["ports"]
    assert ports.list_keys == ("containerPort", "protocol") and ports.merge_key == "containerPort"
    assert container.fields["resources"].always and not container.fields["securityContext"].always
    assert container.fields["imagePullPolicy"].go == "v1.PullPolicy"
    assert pod.fields["spec"].fields["nodeSelector"].map_type == "atomic"


def test_types_are_shared() -> None:
    pod, deployment = schema.node("", "v1", "Pod"), schema.node("apps", "v1", "Deployment")
    template = deployment.fields["spec"].fields["template"]
    assert template.fields["spec"].fields is pod.fields["spec"].fields


def test_times_and_bytes_keep_their_precision() -> None:
    lease = schema.node("coordination.k8s.io", "v1", "Lease").fields["spec"]
    assert lease.fields["renewTime"].format == "date-time-micro"
    assert schema.node("", "v1", "Pod").fields["status"].fields["startTime"].format == "date-time"
    data = schema.node("", "v1", "Secret").fields["data"]
    assert data.type == "map" and data.items is not None and data.items.type == "bytes"


def test_gateway_kinds_are_custom_resources() -> None:
    route = schema.node("gateway.networking.k8s.io", "v1", "HTTPRoute")
    refs = route.fields["spec"].fields["parentRefs"]
    assert refs.custom and refs.items is not None
    assert refs.items.fields["group"].default == "gateway.networking.k8s.io"
    assert refs.items.fields["name"].rules == {"minLength": 1, "maxLength": 253}
    assert not route.fields["metadata"].custom


def test_unknown_kinds_are_a_key_error() -> None:
    assert not schema.has("", "v1", "Nope")
    with pytest.raises(KeyError):
        schema.node("", "v1", "Nope")
