"""Endpoints of Services, as those read them who know no slices."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import endpoints, endpointslicemirroring
from tests.control.settle import decided, settle
from tests.control.test_endpointslice import pod, service
from tests.view import House


def found(house: House) -> dict[str, Any]:
    [one] = house.list("endpoints")
    return one


def test_who_is_behind_a_service() -> None:
    house = House()
    service(house)
    settle(house, [endpoints])
    assert found(house)["subsets"] == []
    assert found(house)["metadata"]["labels"] == {
        "team": "x", "endpoints.kubernetes.io/managed-by": "endpoint-controller"
    }  # fmt: skip
    for i, name in enumerate(("ready", "unready", "going", "ended")):
        pod(house, name, ready=name != "unready", ip=f"10.0.0.{i}")
    house.delete("pods", "default", "going")
    house.finish("ended", "Succeeded")
    settle(house, [endpoints])
    [subset] = found(house)["subsets"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    uid = house.objects[("pods", "default", "ready")]["metadata"]["uid"]
    assert subset["addresses"] == [
        {"ip": "10.0.0.0", "nodeName": "node-1",
         "targetRef": {"kind": "Pod", "name": "ready", "namespace": "default", "uid": uid}}
    ]  # fmt: skip
    assert [a["targetRef"]["name"] for a in subset["notReadyAddresses"]] == ["unready"]
    house.change("services", "default", "s", {"spec": {"publishNotReadyAddresses": True, "clusterIP": "None"}})
    settle(house, [endpoints])
    [subset] = found(house)["subsets"]
    assert {a["targetRef"]["name"] for a in subset["addresses"]} == {"ready", "unready", "going"}
    assert found(house)["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_it_goes_with_its_service_and_nobody_elses_does() -> None:
    house = House()
    service(house)
    house.add("endpoints", {"metadata": {"name": "own"}, "subsets": []})
    settle(house, [endpoints])
    house.remove("services", "default", "s")
    house.carry_out([*decided(endpoints, house, "s"), *decided(endpoints, house, "own")])
    assert [one["metadata"]["name"] for one in house.list("endpoints")] == ["own"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=6), st.booleans())
def test_once_written_it_rests(states: list[tuple[int, bool]], named: bool) -> None:
    house = House()
    port = {"port": 80, "protocol": "TCP", "targetPort": "http" if named else 8080}
    service(house, ports=[{"name": "web", **port}])
    for n, ready in dict(states).items():
        pod(house, f"p{n}", ready=ready, ip=f"10.0.0.{n}", ports=[{"name": "http", "containerPort": 80 + n % 2}])
    settle(house, [endpoints])
    assert not decided(endpoints, house, "s")
    known = {
        (a["targetRef"]["name"], ready)
        for s in found(house)["subsets"]
        for part, ready in (("addresses", True), ("notReadyAddresses", False))
        for a in s.get(part) or ()
    }
    assert known == {(f"p{n}", ready) for n, ready in dict(states).items()}


def hand_made(house: House, *ips: str, **more: Any) -> None:
    subset = {"addresses": [{"ip": ip} for ip in ips], "ports": [{"name": "", "port": 80, "protocol": "TCP"}]}
    house.add("endpoints", {"metadata": {"name": "s", **more}, "subsets": [subset] if ips else []})


def test_what_is_written_by_hand_is_mirrored() -> None:
    house = House()
    service(house, selector=None)
    hand_made(house, "10.1.2.3", labels={"a": "b"}, annotations={"x": "y"})
    settle(house, [endpoints, endpointslicemirroring])
    [mirror] = house.list("endpointslices.discovery.k8s.io")
    assert mirror["endpoints"] == [{"addresses": ["10.1.2.3"], "conditions": {"ready": True}}]
    assert mirror["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}] and mirror["addressType"] == "IPv4"
    assert mirror["metadata"]["annotations"] == {"x": "y"} and mirror["metadata"]["labels"] == {
        "a": "b", "kubernetes.io/service-name": "s",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }  # fmt: skip
    changed = {"addresses": [{"ip": "10.2.3.4"}], "ports": [{"name": "", "port": 80, "protocol": "TCP"}]}
    house.change("endpoints", "default", "s", {"subsets": [changed]})
    settle(house, [endpoints, endpointslicemirroring])
    [again] = house.list("endpointslices.discovery.k8s.io")
    assert again["endpoints"][0]["addresses"] == ["10.2.3.4"]
    assert again["metadata"]["uid"] == mirror["metadata"]["uid"]
    house.remove("endpoints", "default", "s")
    settle(house, [endpoints, endpointslicemirroring])
    assert house.list("endpointslices.discovery.k8s.io") == []


def test_what_is_not_mirrored() -> None:
    for more in (
        {"labels": {endpointslicemirroring.SKIP: "true"}},
        {"annotations": {endpointslicemirroring.LEADER: ""}},
    ):
        house = House()
        service(house, selector=None)
        hand_made(house, "10.1.2.3", **more)
        settle(house, [endpoints, endpointslicemirroring])
        assert house.list("endpointslices.discovery.k8s.io") == []
    house = House()
    hand_made(house, "10.1.2.3")  # of no Service
    settle(house, [endpointslicemirroring])
    assert house.list("endpointslices.discovery.k8s.io") == []
