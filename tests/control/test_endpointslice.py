"""Endpoints of Services: who is behind them, when, and in how many slices."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import endpointslice
from tests.control.settle import decided, settle
from tests.view import House

SLICES = "endpointslices.discovery.k8s.io"


def service(house: House, **spec: Any) -> dict[str, Any]:
    given = {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
             "clusterIP": "10.1.0.1", **spec}  # fmt: skip
    return house.add("services", {"metadata": {"name": "s", "labels": {"team": "x"}}, "spec": given})


def pod(house: House, name: str, *, ready: bool = True, ip: str = "10.0.0.1", ports: Any = ()) -> None:
    container = {"name": "c", "ports": list(ports)}
    house.add("pods", {"metadata": {"name": name, "labels": {"app": "a"}}, "spec": {"containers": [container]}})
    house.start(name, ready=ready, ip=ip)


def conditions(house: House) -> dict[str, tuple[bool, bool, bool]]:
    return {
        e["targetRef"]["name"]: (e["conditions"]["ready"], e["conditions"]["serving"], e["conditions"]["terminating"])
        for s in house.list(SLICES)
        for e in s["endpoints"]
    }


def test_the_recorded_slice() -> None:
    house = House()
    owner = service(house)
    settle(house, [endpointslice])
    (empty,) = house.list(SLICES)
    assert empty["endpoints"] == [] and empty["ports"] == []
    pod(house, "p", ready=False, ip="10.251.0.107")
    settle(house, [endpointslice])
    (found,) = house.list(SLICES)
    assert found["metadata"]["uid"] == empty["metadata"]["uid"]
    uid = house.objects[("pods", "default", "p")]["metadata"]["uid"]
    assert found["addressType"] == "IPv4" and found["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert found["endpoints"] == [
        {"addresses": ["10.251.0.107"], "conditions": {"ready": False, "serving": False, "terminating": False},
         "nodeName": "node-1", "targetRef": {"kind": "Pod", "name": "p", "namespace": "default", "uid": uid}}
    ]  # fmt: skip
    assert found["metadata"]["labels"] == {
        "team": "x",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "s",
    }
    assert found["metadata"]["generateName"] == "s-" and found["metadata"]["name"].startswith("s-")
    assert found["metadata"]["ownerReferences"][0] == {
        "apiVersion": "v1", "kind": "Service", "name": "s", "uid": owner["metadata"]["uid"], "controller": True,
        "blockOwnerDeletion": True,
    }  # fmt: skip


def test_readiness_termination_and_ends() -> None:
    house = House()
    service(house)
    for i, name in enumerate(("ready", "unready", "going", "ended")):
        pod(house, name, ready=name != "unready", ip=f"10.0.0.{i}")
    house.delete("pods", "default", "going")
    house.finish("ended", "Succeeded")
    house.add("pods", {"metadata": {"name": "no-address", "labels": {"app": "a"}}, "spec": {"containers": []}})
    settle(house, [endpointslice])
    assert conditions(house) == {
        "ready": (True, True, False), "unready": (False, False, False), "going": (False, True, True)
    }  # fmt: skip
    house.change("services", "default", "s", {"spec": {"publishNotReadyAddresses": True}})
    settle(house, [endpointslice])
    assert conditions(house)["unready"] == (True, False, False)


def test_named_ports_make_groups_and_headless_is_marked() -> None:
    house = House()
    service(house, clusterIP="None", ports=[{"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}])
    pod(house, "a", ports=[{"name": "http", "containerPort": 8080}])
    pod(house, "b", ports=[{"name": "http", "containerPort": 9090}])
    settle(house, [endpointslice])
    slices = house.list(SLICES)
    assert sorted(s["ports"][0]["port"] for s in slices) == [8080, 9090]
    assert all(s["metadata"]["labels"]["service.kubernetes.io/headless"] == "" for s in slices)


def test_services_that_others_fill_are_left_alone() -> None:
    house = House()
    service(house, selector=None)
    assert list(decided(endpointslice, house, "s")) == []
    house.change("services", "default", "s", {"spec": {"selector": {"app": "a"}, "type": "ExternalName"}})
    assert list(decided(endpointslice, house, "s")) == []


def test_a_hundred_in_a_slice() -> None:
    house = House()
    service(house)
    for i in range(230):
        pod(house, f"p{i}", ip=f"10.0.{i // 200}.{i % 200}")
    settle(house, [endpointslice])
    assert sorted(len(s["endpoints"]) for s in house.list(SLICES)) == [30, 100, 100]
    for i in range(225):
        house.remove("pods", "default", f"p{i}")
    settle(house, [endpointslice])
    assert len(conditions(house)) == 5


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_interruption_ends_with_every_pod_once(data: st.DataObject) -> None:
    house = House(data.draw(st.integers(0, 9)))
    service(house)
    made = 0
    for _ in range(data.draw(st.integers(1, 15))):
        match data.draw(st.sampled_from(["add", "remove", "unready", "decide", "port"])):
            case "add":
                made += 1
                pod(house, f"p{made}", ip=f"10.0.0.{made}")
            case "remove" if house.list("pods"):
                house.remove("pods", "default", house.list("pods")[0]["metadata"]["name"])
            case "unready" if house.list("pods"):
                house.start(house.list("pods")[-1]["metadata"]["name"], ready=False)
            case "port":
                house.change("services", "default", "s", {"spec": {"ports": [{"port": 80, "targetPort": 90 + made}]}})
            case "decide":
                actions = list(decided(endpointslice, house, "s"))
                house.carry_out(actions[: data.draw(st.integers(0, len(actions)))])
    settle(house, [endpointslice])
    names = [e["targetRef"]["name"] for s in house.list(SLICES) for e in s["endpoints"]]
    assert sorted(names) == sorted(p["metadata"]["name"] for p in house.list("pods"))
    assert list(decided(endpointslice, house, "s")) == []


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    """One pod as it may stand at some moment."""
    metadata: dict[str, Any] = {"name": "p", "namespace": "default", "uid": "u", "labels": {"app": draw(FEW)}}
    if draw(st.booleans()):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    spec = {"nodeName": draw(FEW), "hostname": "h", "subdomain": draw(st.sampled_from(("s", "t"))), "containers": [
        {"name": "c", "ports": [{"name": "web", "containerPort": draw(st.sampled_from((80, 81)))}]}]}  # fmt: skip
    ready = {"type": "Ready", "status": draw(st.sampled_from(("True", "False"))), "lastTransitionTime": draw(FEW)}
    status = {"phase": draw(st.sampled_from(("Pending", "Running", "Failed"))), "conditions": [ready]}
    status |= {"containerStatuses": [{"restartCount": draw(st.sampled_from((0, 1)))}]}
    if draw(st.booleans()):
        status["podIP"] = f"10.0.0.{draw(st.sampled_from((1, 2)))}"
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


FEW = st.sampled_from(("a", "b"))


@settings(max_examples=300)
@given(one=states(), other=states())
def test_pods_that_bear_the_same_make_the_same_slices(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Drawn so that many pairs differ in one thing, or in what does not bear alone."""
    other = {**one, "status": other["status"], **({"spec": other["spec"]} if one["spec"]["nodeName"] == "a" else {})}
    groups = []
    for p in (one, other):
        house = House()
        service(house, ports=[{"port": 80, "targetPort": "web", "protocol": "TCP"}])
        s = house.objects[("services", "default", "s")]
        house.objects[("pods", "default", "p")] = p
        groups.append(endpointslice.desired(s, house))
    if endpointslice.bearing(one) == endpointslice.bearing(other):
        assert groups[0] == groups[1]


def test_of_anything_but_pods_each_change_bears() -> None:
    a, b = ({"kind": "Service", "metadata": {"resourceVersion": n}, "spec": {}} for n in ("1", "2"))
    assert endpointslice.bearing(a) != endpointslice.bearing(b)
