"""Every verb: what a client of the API may rely on, inside the house and over both doors."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from madang.api.direct import DirectApi
from madang.api.remote import RemoteApi
from madang.ports.api import Api, DeleteOptions, ListOptions, WriteOptions
from madang.ports.errors import AlreadyExists, BadRequest, Conflict, Expired, Forbidden, NotFound
from madang.wire.serve import serve
from tests.api.house import config_map, house, pod

Run = Callable[[Callable[[Api], Awaitable[None]]], None]


def run(test: Callable[[DirectApi], Awaitable[None]]) -> None:
    async def main() -> None:
        async with house() as api:
            await test(api)

    asyncio.run(main())


@pytest.fixture(params=["direct", "unix", "https"])
def run_all(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Callable[[Api], Awaitable[None]]], None]:
    """One contract suite over every implementation of the port."""

    def run(test: Callable[[Api], Awaitable[None]]) -> None:
        async def main() -> None:
            async with house(home=tmp_path) as direct:
                if request.param == "direct":
                    await test(direct)
                    return
                async with serve(direct) as door:
                    over = request.param
                    api = (
                        RemoteApi.over_unix(door.socket)
                        if over == "unix"
                        else RemoteApi.over_https(door.url, door.ca_pem, door.token)
                    )
                    await test(api)
                    await api.close()

        asyncio.run(main())

    return run


def test_what_is_created_is_read_back_with_what_the_server_gives(run_all: Run) -> None:
    async def check(api: Api) -> None:
        made = await api.create("configmaps", config_map("a", k="v"))
        assert made.created
        meta = made.obj["metadata"]
        assert meta["uid"] and meta["creationTimestamp"].endswith("Z") and int(meta["resourceVersion"]) > 0
        assert await api.get("configmaps", "default", "a") == made.obj
        assert list(made.obj)[:2] == ["kind", "apiVersion"]

    run_all(check)


def test_a_taken_name_and_a_missing_one_are_refused_in_the_apis_words(run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("configmaps", config_map("a"))
        with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
            await api.create("configmaps", config_map("a"))
        with pytest.raises(NotFound) as missing:
            await api.get("configmaps", "default", "none")
        assert missing.value.details == {"kind": "configmaps", "name": "none"}
        with pytest.raises(NotFound, match='namespaces "nonesuch" not found'):
            await api.create("configmaps", config_map("a", "nonesuch"))

    run_all(check)


def test_a_generated_name_is_tried_again_when_it_is_taken() -> None:
    async def check(api: DirectApi) -> None:
        tails = iter(["aaaaa", "aaaaa", "bbbbb"])
        api.desk.chance.suffix = lambda length=5: next(tails)  # type: ignore[method-assign]
        body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"generateName": "g-"}}
        first = await api.create("configmaps", dict(body), namespace="default")
        second = await api.create("configmaps", dict(body), namespace="default")
        assert [made.obj["metadata"]["name"] for made in (first, second)] == ["g-aaaaa", "g-bbbbb"]

    run(check)


def test_a_new_namespace_has_its_account_and_root_certificate_at_once(run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})
        assert await api.get("serviceaccounts", "shop", "default")
        assert (await api.get("configmaps", "shop", "kube-root-ca.crt"))["data"]["ca.crt"].startswith("-----BEGIN")

    run_all(check)


def test_what_a_cluster_always_has(run_all: Run) -> None:
    async def check(api: Api) -> None:
        names = [entry.key.name for entry in (await api.list("namespaces")).entries]
        assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
        service = await api.get("services", "default", "kubernetes")
        assert service["spec"]["clusterIP"] == "10.96.0.1"
        classes = await api.list("priorityclasses.scheduling.k8s.io")
        assert [entry.obj["value"] for entry in classes.entries] == [2000000000, 2000001000]

    run_all(check)


def test_an_update_is_optimistic_where_it_names_a_revision(run_all: Run) -> None:
    async def check(api: Api) -> None:
        made = (await api.create("configmaps", config_map("a", k="1"))).obj
        other = await api.update("configmaps", config_map("a", k="2"))
        assert other.obj["data"] == {"k": "2"} and other.obj["metadata"]["uid"] == made["metadata"]["uid"]
        with pytest.raises(Conflict, match="the object has been modified"):
            await api.update("configmaps", {**made, "data": {"k": "3"}})

    run_all(check)


def test_an_update_that_changes_nothing_is_no_write(run_all: Run) -> None:
    async def check(api: Api) -> None:
        made = (await api.create("configmaps", config_map("a", k="1"))).obj
        again = (await api.update("configmaps", config_map("a", k="1"))).obj
        assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    run_all(check)


@pytest.mark.parametrize(
    ("style", "patch"),
    [
        ("merge", {"data": {"b": "2"}}),
        ("json", [{"op": "add", "path": "/data/b", "value": "2"}]),
        ("strategic", {"data": {"b": "2"}}),
    ],
)
def test_patches(style: Any, patch: Any, run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("configmaps", config_map("a", a="1"))
        done = await api.patch("configmaps", "default", "a", patch, style=style)
        assert done.obj["data"] == {"a": "1", "b": "2"}
        with pytest.raises(BadRequest, match=r"the name of the object \(z\) does not match"):
            await api.patch("configmaps", "default", "a", {"metadata": {"name": "z"}})

    run_all(check)


def test_many_patches_at_once_all_count(run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("configmaps", config_map("a"))
        await asyncio.gather(*(api.patch("configmaps", "default", "a", {"data": {f"k{i}": "v"}}) for i in range(20)))
        assert len((await api.get("configmaps", "default", "a"))["data"]) == 20

    run_all(check)


def test_a_dry_run_answers_and_stores_nothing(run_all: Run) -> None:
    async def check(api: Api) -> None:
        made = await api.create("configmaps", config_map("a"), options=WriteOptions(dry_run=True))
        assert "resourceVersion" not in made.obj["metadata"]
        with pytest.raises(NotFound):
            await api.get("configmaps", "default", "a")

    run_all(check)


def test_a_finalizer_holds_a_deleted_object_until_it_is_taken_away(run_all: Run) -> None:
    async def check(api: Api) -> None:
        body = config_map("f")
        body["metadata"]["finalizers"] = ["x.example/f"]
        await api.create("configmaps", body)
        waiting = await api.delete("configmaps", "default", "f")
        assert waiting["metadata"]["deletionTimestamp"] and waiting["metadata"]["deletionGracePeriodSeconds"] == 0
        again = await api.delete("configmaps", "default", "f")
        assert again["metadata"]["resourceVersion"] == waiting["metadata"]["resourceVersion"]
        with pytest.raises(AlreadyExists, match="object is being deleted"):
            await api.create("configmaps", config_map("f"))
        await api.patch("configmaps", "default", "f", {"metadata": {"finalizers": None}})
        with pytest.raises(NotFound):
            await api.get("configmaps", "default", "f")

    run_all(check)


def test_deletion_answers_preconditions_and_propagation(run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("configmaps", config_map("a"))
        with pytest.raises(Conflict, match="does not match the UID in record"):
            await api.delete("configmaps", "default", "a", DeleteOptions(uid="0"))
        held = await api.delete("configmaps", "default", "a", DeleteOptions(propagation="Foreground"))
        assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
        await api.create("configmaps", config_map("b"))
        gone = await api.delete("configmaps", "default", "b")
        assert gone["status"] == "Success" and gone["details"]["kind"] == "configmaps"

    run_all(check)


def test_a_bound_pod_waits_for_its_node_and_an_unbound_one_goes_at_once() -> None:
    async def check(api: DirectApi) -> None:
        await api.create("pods", pod("p", terminationGracePeriodSeconds=7))
        target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"}, "target": {"name": "n1"}}
        await api.create("pods", target, namespace="default", name="p", subresource="binding")
        with pytest.raises(Conflict, match='pod p is already assigned to node "n1"'):
            await api.create("pods", target, namespace="default", name="p", subresource="binding")
        assert [p["metadata"]["name"] for p in api.view.list("pods", node="n1")] == ["p"]
        held = await api.delete("pods", "default", "p")
        assert held["metadata"]["deletionGracePeriodSeconds"] == 7
        shorter = await api.delete("pods", "default", "p", DeleteOptions(grace_s=2))
        assert shorter["metadata"]["deletionGracePeriodSeconds"] == 2
        await api.delete("pods", "default", "p", DeleteOptions(grace_s=0))
        await api.create("pods", pod("q"))
        await api.delete("pods", "default", "q")
        assert (await api.list("pods", "default")).entries == []

    run(check)


def test_a_namespace_waits_for_its_finalizer_and_takes_nothing_new(run_all: Run) -> None:
    async def check(api: Api) -> None:
        body = {
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": {"name": "n"},
            "spec": {"finalizers": ["kubernetes"]},
        }
        await api.create("namespaces", body)
        dying = await api.delete("namespaces", "", "n")
        assert dying["status"]["phase"] == "Terminating" and "deletionGracePeriodSeconds" not in dying["metadata"]
        with pytest.raises(Forbidden, match="because it is being terminated"):
            await api.create("configmaps", config_map("a", "n"))
        await api.update("namespaces", {**dying, "spec": {}}, subresource="finalize")
        with pytest.raises(NotFound):
            await api.get("namespaces", "", "n")

    run_all(check)


def test_lists_select_and_page_as_of_one_moment(run_all: Run) -> None:
    async def check(api: Api) -> None:
        for i in range(5):
            body = config_map(f"c{i}")
            body["metadata"]["labels"] = {"odd": str(i % 2), "n": "1"}
            await api.create("configmaps", body)
        odd = await api.list("configmaps", "default", ListOptions(labels="odd=1"))
        assert [entry.key.name for entry in odd.entries] == ["c1", "c3"]
        first = await api.list("configmaps", "default", ListOptions(labels="n", limit=2))
        await api.delete("configmaps", "default", "c3")
        second = await api.list("configmaps", "default", ListOptions(labels="n", limit=2, continue_=first.continue_))
        assert [entry.key.name for entry in second.entries] == ["c2", "c3"] and second.revision == first.revision
        third = await api.list("configmaps", "default", ListOptions(labels="n", limit=2, continue_=second.continue_))
        assert [entry.key.name for entry in third.entries] == ["c4"] and not third.continue_
        with pytest.raises(BadRequest, match="is not a known field selector"):
            await api.list("configmaps", "default", ListOptions(fields="data.k=v"))

    run_all(check)


def test_a_watch_shows_what_enters_changes_and_leaves_a_selection(run_all: Run) -> None:
    async def check(api: Api) -> None:
        body = config_map("a")
        start = (await api.create("configmaps", body)).obj["metadata"]["resourceVersion"]
        for labels in ({"x": "1"}, {"x": "1", "y": "2"}, {"x": "2"}):
            await api.patch("configmaps", "default", "a", [{"op": "add", "path": "/metadata/labels", "value": labels}],
                            style="json")  # fmt: skip
        seen = []
        async for change in api.watch("configmaps", "default", labels="x=1", since=start, timeout_s=5):
            seen.append((change.type, change.entry.obj["metadata"]["labels"]))
            if len(seen) == 3:
                break
        assert seen == [("ADDED", {"x": "1"}), ("MODIFIED", {"x": "1", "y": "2"}), ("DELETED", {"x": "1", "y": "2"})]

    run_all(check)


def test_a_watch_from_a_forgotten_revision_is_expired() -> None:
    async def check(api: DirectApi) -> None:
        api.desk.store._history._dropped = 0  # type: ignore[attr-defined]
        with pytest.raises((Expired, BadRequest)):
            async for _ in api.watch("configmaps", "default", since="x"):
                pass

    run(check)


def test_scale_speaks_of_replicas_alone(run_all: Run) -> None:
    async def check(api: Api) -> None:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        meta = {"name": "d", "namespace": "default"}
        await api.create(
            "deployments.apps", {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": meta, "spec": spec}
        )
        scale = await api.get("deployments.apps", "default", "d", subresource="scale")
        assert scale["spec"] == {"replicas": 1} and scale["status"]["selector"] == "a=b"
        done = await api.patch("deployments.apps", "default", "d", {"spec": {"replicas": 3}}, subresource="scale")
        assert done.obj["kind"] == "Scale"
        assert (await api.get("deployments.apps", "default", "d"))["spec"]["replicas"] == 3

    run_all(check)


def test_the_status_and_the_rest_are_written_apart(run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("pods", pod("p"))
        done = await api.patch("pods", "default", "p", {"status": {"phase": "Running"}, "spec": {"nodeName": "x"}},
                               subresource="status")  # fmt: skip
        assert done.obj["status"]["phase"] == "Running" and "nodeName" not in done.obj["spec"]
        done = await api.patch("pods", "default", "p", {"status": {"phase": "Failed"}})
        assert done.obj["status"]["phase"] == "Running"

    run_all(check)


def test_an_evicted_pod_says_why_it_goes(run_all: Run) -> None:
    async def check(api: Api) -> None:
        await api.create("pods", pod("p"))
        target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"}, "target": {"name": "n1"}}
        await api.create("pods", target, namespace="default", name="p", subresource="binding")
        asked = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "p"}}
        await api.create("pods", asked, namespace="default", name="p", subresource="eviction")
        going = await api.get("pods", "default", "p")
        assert going["metadata"]["deletionTimestamp"]
        assert "EvictionByEvictionAPI" in [c.get("reason") for c in going["status"]["conditions"]]

    run_all(check)


def test_evictions_at_once_all_succeed_and_hit_nobody_else() -> None:
    async def check(api: DirectApi) -> None:
        asked = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p", "namespace": "default"}}

        async def evict() -> None:
            await api.create("pods", asked, namespace="default", name="p", subresource="eviction")

        await api.create("pods", pod("p"), namespace="default")
        await asyncio.gather(evict(), evict(), evict())
        with pytest.raises(NotFound):
            await api.get("pods", "default", "p")

    run(check)


def test_the_houses_own_namespaces_may_not_be_deleted(run_all: Run) -> None:
    async def check(api: Api) -> None:
        with pytest.raises(Forbidden, match="this namespace may not be deleted"):
            await api.delete("namespaces", "", "kube-system")

    run_all(check)


def test_server_side_apply_makes_shares_and_conflicts(run_all: Run) -> None:
    async def check(api: Api) -> None:
        def wanted(**data: str) -> dict[str, Any]:
            return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c"}, "data": data}

        one, two = WriteOptions(field_manager="one"), WriteOptions(field_manager="two")
        made = await api.patch("configmaps", "default", "c", wanted(a="1"), style="apply", options=one)
        assert made.created
        both = await api.patch("configmaps", "default", "c", wanted(b="2"), style="apply", options=two)
        assert both.obj["data"] == {"a": "1", "b": "2"}
        with pytest.raises(Conflict, match='conflict with "one"'):
            await api.patch("configmaps", "default", "c", wanted(a="9"), style="apply", options=two)
        dropped = await api.patch("configmaps", "default", "c", wanted(), style="apply", options=one)
        assert dropped.obj["data"] == {"b": "2"}

    run_all(check)
