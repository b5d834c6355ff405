"""The Python client of Kubernetes against a courtyard: create, list, watch, logs, exec, patch, delete."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Court

kubernetes = pytest.importorskip("kubernetes", reason="the Python client `kubernetes` is not installed")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),  # the client's own
]

BODY = {
    "metadata": {"name": "p", "labels": {"app": "p"}},
    "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {"name": "main", "image": "madang.dev/host", "command": ["sh", "-c", "echo begun; exec sleep 1000"]}
        ],
    },
}


@pytest.fixture
def api(shared_court: Court) -> Iterator[Any]:
    client = kubernetes.config.new_client_from_config(str(shared_court.home / "kubeconfig"))
    try:
        yield kubernetes.client.CoreV1Api(client)
    finally:
        client.close()


def phases(api: Any, revision: str, until: str) -> list[tuple[str, str]]:
    """What a watch tells of the pod, from a revision until it says `until`."""
    told, watch = [], kubernetes.watch.Watch()
    for event in watch.stream(api.list_namespaced_pod, "default", resource_version=revision, timeout_seconds=30):
        told.append((event["type"], event["object"].status.phase))
        if until in told[-1]:
            watch.stop()
    return told


def test_a_pod_from_creation_to_removal(api: Any) -> None:
    revision = api.list_namespaced_pod("default").metadata.resource_version
    made = api.create_namespaced_pod("default", BODY)
    assert made.metadata.uid and made.spec.restart_policy == "Always"
    told = phases(api, revision, "Running")
    assert told[0] == ("ADDED", "Pending") and told[-1] == ("MODIFIED", "Running")
    found = api.list_namespaced_pod("default", label_selector="app=p", field_selector="status.phase=Running")
    assert [pod.metadata.name for pod in found.items] == ["p"]
    said = kubernetes.stream.stream(
        api.connect_get_namespaced_pod_exec, "p", "default",
        command=["sh", "-c", "echo out; echo err >&2"], stdout=True, stderr=True, stdin=False, tty=False,
    )  # fmt: skip
    assert sorted(said.split()) == ["err", "out"]
    assert api.read_namespaced_pod_log("p", "default") == "begun\n"
    patched = api.patch_namespaced_pod("p", "default", {"metadata": {"annotations": {"note": "kept"}}})
    assert patched.metadata.annotations == {"note": "kept"}
    api.delete_namespaced_pod("p", "default")
    assert phases(api, patched.metadata.resource_version, "DELETED")[-1][0] == "DELETED"
    with pytest.raises(kubernetes.client.ApiException) as gone:
        api.read_namespaced_pod("p", "default")
    assert gone.value.status == 404


def test_the_dynamic_client_finds_its_way_by_discovery(api: Any) -> None:
    assert kubernetes.client.VersionApi(api.api_client).get_code().git_version.startswith("v1.36")
    client = importlib.import_module("kubernetes.dynamic").DynamicClient(api.api_client)
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "madang.dev/host"}]}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "dynamic"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    made = deployments.server_side_apply(body=body, namespace="default", name="dynamic", field_manager="me")
    assert made.metadata.managedFields[0].manager == "me"
    scaled = deployments.scale.patch(
        body={"spec": {"replicas": 2}}, namespace="default", name="dynamic",
        content_type="application/merge-patch+json",
    )  # fmt: skip
    assert scaled.spec.replicas == 2
    deployments.delete(name="dynamic", namespace="default")
