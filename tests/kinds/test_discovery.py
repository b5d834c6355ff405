"""Discovery documents, as kubectl and client libraries read them."""

from madang.kinds import discovery


def test_core_resources() -> None:
    found = discovery.resource_list("", "v1")
    assert found is not None and found["groupVersion"] == "v1" and "apiVersion" not in found
    by_name = {entry["name"]: entry for entry in found["resources"]}
    assert by_name["configmaps"] == {
        "kind": "ConfigMap", "name": "configmaps", "namespaced": True, "shortNames": ["cm"],
        "singularName": "configmap", "storageVersionHash": "qFsyl6wFWjQ=",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    }  # fmt: skip
    assert by_name["bindings"]["verbs"] == ["create"] and "storageVersionHash" not in by_name["bindings"]
    assert by_name["pods/eviction"] == {
        "group": "policy", "kind": "Eviction", "name": "pods/eviction", "namespaced": True, "singularName": "",
        "verbs": ["create"], "version": "v1",
    }  # fmt: skip
    assert [entry["name"] for entry in found["resources"]] == sorted(by_name)


def test_groups_prefer_the_stored_version() -> None:
    group = discovery.group("autoscaling")
    assert group is not None and group["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}
    assert [v["version"] for v in group["versions"]] == ["v2", "v1"]
    assert discovery.group("nonesuch.example") is None and discovery.resource_list("apps", "v9") is None


def test_both_versions_name_one_storage() -> None:
    hashes = set()
    for group, version, plural in (
        ("autoscaling", "v1", "horizontalpodautoscalers"), ("autoscaling", "v2", "horizontalpodautoscalers"),
    ):  # fmt: skip
        found = discovery.resource_list(group, version)
        assert found is not None
        hashes |= {entry["storageVersionHash"] for entry in found["resources"] if entry["name"] == plural}
    assert hashes == {"qwQve8ut294="}


def test_aggregated_form() -> None:
    core, rest = discovery.aggregated(True), discovery.aggregated(False)
    assert [item["metadata"] for item in core["items"]] == [{}]
    names = [item["metadata"]["name"] for item in rest["items"]]
    assert names == [group["name"] for group in discovery.group_list()["groups"]] and names[0] == "apps"
    pods = next(r for r in core["items"][0]["versions"][0]["resources"] if r["resource"] == "pods")
    assert pods["scope"] == "Namespaced" and pods["responseKind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert {s["subresource"] for s in pods["subresources"]} >= {"log", "exec", "status", "eviction", "binding"}


def test_api_tells_its_address() -> None:
    assert discovery.core_versions("127.0.0.1:6443")["serverAddressByClientCIDRs"][0]["serverAddress"] == (
        "127.0.0.1:6443"
    )


def test_reviews_are_named_though_they_are_never_stored() -> None:
    found = discovery.resource_list("authorization.k8s.io", "v1")
    assert found is not None
    assert found["resources"][0] == {
        "kind": "LocalSubjectAccessReview", "name": "localsubjectaccessreviews", "namespaced": True,
        "singularName": "localsubjectaccessreview", "verbs": ["create"],
    }  # fmt: skip
    assert discovery.group("authentication.k8s.io") is not None
