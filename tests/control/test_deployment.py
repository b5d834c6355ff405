"""A Deployment's decisions: the recorded stories state by state, and its promises under any interleaving."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madang.control import deployment, replicaset
from madang.control.deployment import numbers, rolling
from madang.control.naming import template_hash
from madang.ports.actions import Patch
from tests.control.settle import decided, live, settle, step
from tests.view import House

KIND, SETS = "deployments.apps", "replicasets.apps"
CONTAINER = {"name": "c", "image": "x"}


def deploy(house: House, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [CONTAINER]}}
    given = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "a"}},
        "template": template,
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
    }
    return house.add(KIND, {"metadata": {"name": "d"}, "spec": {**given, **spec}, "status": {}})


def seen(house: House) -> tuple[Any, ...]:
    """A Deployment as the stories show it: revision, counts, conditions as (type, reason)."""
    d = house.objects[(KIND, "default", "d")]
    status = d.get("status") or {}
    counts = {k: v for k, v in status.items() if k not in ("conditions", "observedGeneration")}
    revision = (d["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")
    return revision, counts, [(c["type"], c["reason"]) for c in status.get("conditions", [])]


def template_changed(house: House, version: str) -> None:
    house.change(KIND, "default", "d", {"spec": {"template": {"metadata": {"annotations": {"v": version}}}}})


def sets(house: House) -> dict[str, int]:
    return {
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: rs["spec"]["replicas"]
        for rs in house.list(SETS)
    }


UP = ("Available", "MinimumReplicasAvailable")
DOWN = ("Available", "MinimumReplicasUnavailable")


def test_birth_is_told_state_by_state() -> None:
    house = House()
    deploy(house)
    states = []

    def note() -> None:
        if not states or states[-1] != seen(house):
            states.append(seen(house))

    step(deployment, house, "d")
    note()
    name = house.list(SETS)[0]["metadata"]["name"]
    for _ in range(3):
        step(deployment, house, "d")
        note()
        step(replicaset, house, name)
    for pod in house.list("pods"):
        house.start(pod["metadata"]["name"])
        step(replicaset, house, name)
        step(deployment, house, "d")
        note()
    going = ("Progressing", "ReplicaSetUpdated")
    assert states == [
        ("1", {}, [("Progressing", "NewReplicaSetCreated")]),
        ("1", {"unavailableReplicas": 2, "terminatingReplicas": 0}, [("Progressing", "NewReplicaSetCreated"), DOWN]),
        ("1", {"replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2, "terminatingReplicas": 0}, [DOWN, going]),
        ("1", {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1,
               "unavailableReplicas": 1, "terminatingReplicas": 0}, [DOWN, going]),
        ("1", {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
               "terminatingReplicas": 0}, [UP, ("Progressing", "NewReplicaSetAvailable")]),
    ]  # fmt: skip
    assert house.told("ScalingReplicaSet") == [f"Normal ScalingReplicaSet Scaled up replica set {name} from 0 to 2"]
    rs = house.list(SETS)[0]
    assert rs["metadata"]["annotations"] == {
        "deployment.kubernetes.io/desired-replicas": "2",
        "deployment.kubernetes.io/max-replicas": "3",
        "deployment.kubernetes.io/revision": "1",
    }
    assert rs["spec"]["selector"]["matchLabels"]["pod-template-hash"] == name.removeprefix("d-")


def test_rolling_update_takes_kubernetes_steps() -> None:
    house = House()
    deploy(house, replicas=3)
    live(house, [deployment, replicaset])
    old = house.list(SETS)[0]["metadata"]["name"]
    house.events.clear()
    template_changed(house, "2")
    live(house, [deployment, replicaset])
    new = next(n for n in (rs["metadata"]["name"] for rs in house.list(SETS)) if n != old)
    assert house.told("ScalingReplicaSet") == [
        f"Normal ScalingReplicaSet Scaled {text}"
        for text in (
            f"up replica set {new} from 0 to 1",
            f"down replica set {old} from 3 to 2",
            f"up replica set {new} from 1 to 2",
            f"down replica set {old} from 2 to 1",
            f"up replica set {new} from 2 to 3",
            f"down replica set {old} from 1 to 0",
        )
    ]
    assert sets(house) == {"1": 0, "2": 3}
    assert seen(house)[2] == [UP, ("Progressing", "NewReplicaSetAvailable")]


def test_going_back_gives_the_old_set_a_new_revision() -> None:
    house = House()
    deploy(house)
    live(house, [deployment, replicaset])
    template_changed(house, "2")
    live(house, [deployment, replicaset])
    house.change(KIND, "default", "d", {"spec": {"template": {"metadata": {"annotations": None}}}})
    live(house, [deployment, replicaset])
    assert sets(house) == {"2": 0, "3": 2}
    back = next(rs for rs in house.list(SETS) if rs["spec"]["replicas"])
    assert back["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert seen(house)[0] == "3"


def test_recreate_waits_for_the_old_pods() -> None:
    house = House()
    deploy(house, strategy={"type": "Recreate"})
    live(house, [deployment, replicaset])
    template_changed(house, "2")
    settle(house, [deployment, replicaset])
    assert sets(house) == {"1": 0}
    assert seen(house)[1:] == ({"terminatingReplicas": 2}, [("Progressing", "NewReplicaSetAvailable"), DOWN])
    live(house, [deployment, replicaset])
    assert sets(house) == {"1": 0, "2": 2}
    assert seen(house)[1]["availableReplicas"] == 2


def test_pause_and_resume() -> None:
    house = House()
    deploy(house, replicas=1, paused=True)
    settle(house, [deployment, replicaset])
    assert seen(house) == (None, {"terminatingReplicas": 0}, [("Progressing", "DeploymentPaused"), DOWN])
    house.change(KIND, "default", "d", {"spec": {"paused": None}})
    step(deployment, house, "d")
    assert seen(house)[2] == [DOWN, ("Progressing", "DeploymentResumed")]
    step(deployment, house, "d")
    assert seen(house)[0] == "1" and seen(house)[2] == [DOWN, ("Progressing", "DeploymentResumed")]
    live(house, [deployment, replicaset])
    assert seen(house)[2] == [UP, ("Progressing", "NewReplicaSetAvailable")]


def test_a_stuck_rollout_passes_its_deadline() -> None:
    house = House()
    deploy(house, progressDeadlineSeconds=5)
    live(house, [deployment, replicaset])
    template_changed(house, "2")
    settle(house, [deployment, replicaset])
    assert 5 < max(house.wakes) <= 6
    house.now += 6
    settle(house, [deployment, replicaset])
    assert seen(house)[2] == [UP, ("Progressing", "ProgressDeadlineExceeded")]
    d = house.objects[(KIND, "default", "d")]
    name = next(rs["metadata"]["name"] for rs in house.list(SETS) if rs["spec"]["replicas"] == 1)
    assert d["status"]["conditions"][1]["message"] == f'ReplicaSet "{name}" has timed out progressing.'


def test_history_is_kept_to_its_limit() -> None:
    house = House()
    deploy(house, revisionHistoryLimit=1)
    live(house, [deployment, replicaset])
    for version in ("2", "3", "4"):
        template_changed(house, version)
        live(house, [deployment, replicaset])
    assert sets(house) == {"3": 0, "4": 2}


def test_a_new_size_during_a_rollout_is_shared_in_proportion() -> None:
    house = House()
    deploy(
        house, replicas=10, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    )
    live(house, [deployment, replicaset])
    template_changed(house, "2")
    settle(house, [deployment, replicaset])
    assert sets(house) == {"1": 8, "2": 5}
    house.change(KIND, "default", "d", {"spec": {"replicas": 15}})
    step(deployment, house, "d")
    assert sets(house) == {"1": 11, "2": 7}  # the documentation's own example


def test_an_equal_template_has_an_equal_hash() -> None:
    one = {"metadata": {"labels": {"a": "b"}}, "spec": {"x": [], "y": 1}}
    other = json.loads('{"spec": {"y": 1}, "metadata": {"labels": {"pod-template-hash": "zz", "a": "b"}}}')
    assert template_hash(one, None) == template_hash(other, None) != template_hash(one, 1)


def test_an_orphaned_set_is_adopted() -> None:
    house = House()
    d = deploy(house)
    live(house, [deployment, replicaset])
    rs = house.list(SETS)[0]
    house.change(SETS, "default", rs["metadata"]["name"], {"metadata": {"ownerReferences": None}})
    live(house, [deployment, replicaset])
    assert house.list(SETS)[0]["metadata"]["ownerReferences"][0]["uid"] == d["metadata"]["uid"]
    assert len(house.list(SETS)) == 1


def test_nothing_is_wanted_at_rest() -> None:
    house = House()
    deploy(house)
    live(house, [deployment, replicaset])
    assert list(decided(deployment, house, "d")) == []
    assert list(decided(replicaset, house, house.list(SETS)[0]["metadata"]["name"])) == []


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "fences"),
    [(2, "25%", "25%", (1, 0)), (10, "25%", "25%", (3, 2)), (1, 0, "10%", (0, 1)), (4, 2, 3, (2, 3))],
)
def test_fences(replicas: int, surge: Any, unavailable: Any, fences: tuple[int, int]) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    d = {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}
    assert numbers.fences(d) == fences


def within_fences(house: House, size: int, surge: int, floor: int) -> None:
    pods = [p for p in house.list("pods") if "deletionTimestamp" not in p["metadata"]]
    # As in Kubernetes the ceiling binds what is asked for: the pods of a set just shrunk may still be there.
    assert sum(rs["spec"]["replicas"] for rs in house.list(SETS)) <= size + surge, "above the surge ceiling"
    ready = [p for p in pods if p["status"]["phase"] == "Running" and p["status"]["conditions"][0]["status"] == "True"]
    assert len(ready) >= floor, "below the availability floor"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.integers(1, 6), st.integers(0, 3), st.integers(0, 3))
def test_a_rollout_keeps_its_fences_and_ends_whatever_is_interrupted(
    data: st.DataObject, size: int, surge: int, unavailable: int
) -> None:
    if surge == unavailable == 0:
        surge = 1
    house = House()
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    deploy(house, replicas=size, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    live(house, [deployment, replicaset])
    template_changed(house, "2")
    floor = size - min(unavailable, size)
    for _ in range(data.draw(st.integers(0, 40))):
        what = data.draw(st.sampled_from(["deployment", "set", "start", "end", "template"]))
        if what in ("deployment", "set"):
            name = "d" if what == "deployment" else data.draw(st.sampled_from(names(house, SETS)))
            actions = list(decided(deployment if what == "deployment" else replicaset, house, name))
            house.carry_out(actions[: data.draw(st.integers(0, len(actions)))])
        elif what == "template":
            template_changed(house, data.draw(st.sampled_from(["2", "3"])))
        else:
            pods = [p for p in house.list("pods") if ("deletionTimestamp" in p["metadata"]) == (what == "end")]
            waiting = [p["metadata"]["name"] for p in pods if what == "end" or p["status"]["phase"] == "Pending"]
            if waiting:
                name = data.draw(st.sampled_from(waiting))
                house.remove("pods", "default", name) if what == "end" else house.start(name)
        within_fences(house, size, surge, floor)
    live(house, [deployment, replicaset])
    within_fences(house, size, 0, size)
    assert sum(rs["spec"]["replicas"] > 0 for rs in house.list(SETS)) == 1
    assert seen(house)[2] == [UP, ("Progressing", "NewReplicaSetAvailable")]


def names(house: House, kind: str) -> list[str]:
    return [o["metadata"]["name"] for o in house.list(kind)]


def test_what_is_about_to_go_is_not_counted_on() -> None:
    """A set that was just made smaller still tells of two; only one of them will be left, and nobody else serves."""

    def sized(name: str, replicas: int, available: int) -> dict[str, Any]:
        meta = {"name": name, "namespace": "default", "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
        return {"metadata": meta, "spec": {"replicas": replicas}, "status": {"availableReplicas": available}}

    fences = {"maxSurge": 1, "maxUnavailable": 1}
    d = deploy(House(), strategy={"type": "RollingUpdate", "rollingUpdate": fences})
    serving, failed, new = sized("serving", 1, 2), sized("failed", 1, 0), sized("new", 1, 0)
    patched = {a.name for a in rolling.step(d, new, [serving, failed]) if isinstance(a, Patch)}
    assert patched == {"failed"}
    serving["spec"]["replicas"] = 2
    assert numbers.lasting([serving, failed, new]) == 2
