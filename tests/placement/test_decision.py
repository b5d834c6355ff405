"""Placement: the recorded refusals word for word, the filters one by one, packing, many pods at once."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.placement.decision import Placed, Refused, decide
from madang.placement.requests import pod_requests
from madang.placement.tally import Tally
from madang.placement.wants import read


def node(name: str, cpu: str = "4", memory: str = "8Gi", pods: str = "110", **more: Any) -> dict[str, Any]:
    labels = {"kubernetes.io/hostname": name, **more.pop("labels", {})}
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    return {"metadata": {"name": name, "labels": labels}, "spec": more, "status": {"allocatable": allocatable}}


def pod(
    name: str, cpu: str = "", memory: str = "", labels: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    requests = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
    container = {"name": "c", "resources": {"requests": requests}, **spec.pop("container", {})}
    meta = {"name": name, "namespace": "default", "uid": name, "labels": labels or {}}
    return {"metadata": meta, "spec": {"containers": [container], **spec}}


def house(*nodes: dict[str, Any]) -> Tally:
    tally = Tally()
    for one in nodes:
        tally.set_node(one)
    return tally


def where(tally: Tally, *pods: dict[str, Any]) -> dict[str, str]:
    return {d.pod["metadata"]["name"]: d.node for d in decide(tally, pods) if isinstance(d, Placed)}


def why(tally: Tally, one: dict[str, Any]) -> str:
    (found,) = decide(tally, [one])
    assert isinstance(found, Refused)
    return found.message


def test_fits_nowhere_as_recorded() -> None:
    assert why(house(node("node-1")), pod("p", cpu="500")) == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


def test_no_such_label_as_recorded() -> None:
    assert why(house(node("node-1")), pod("p", nodeSelector={"no": "such"})) == (
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


def test_every_rejection_is_counted() -> None:
    tally = house(node("a", unschedulable=True), node("b", taints=[{"key": "x", "effect": "NoSchedule"}]),
                  node("c", cpu="1", memory="1Mi"), node("d", cpu="2"))  # fmt: skip
    where(tally, pod("first", cpu="1500m"))
    assert why(tally, pod("p", cpu="2", memory="2Mi")) == (
        "0/4 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), "
        "1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/4 nodes are available: 1 No preemption victims found for incoming pod, "
        "3 Preemption is not helpful for scheduling."
    )
    assert why(tally, pod("q", cpu="2", preemptionPolicy="Never")).endswith(
        "preemption: not eligible due to preemptionPolicy=Never."
    )


def test_no_nodes() -> None:
    assert why(Tally(), pod("p")) == "no nodes available to schedule pods"


def test_packing_fills_one_node_before_the_next() -> None:
    tally = house(node("a", cpu="2"), node("b", cpu="4"))
    assert where(tally, *(pod(f"p{i}", cpu="1") for i in range(5))) == {
        "p0": "a", "p1": "a", "p2": "b", "p3": "b", "p4": "b"
    }  # fmt: skip


def instance(name: str, cpu: str = "", of: str = "web", kind: str = "ReplicaSet", **spec: Any) -> dict[str, Any]:
    made = pod(name, cpu=cpu, **spec)
    made["metadata"]["ownerReferences"] = [{"kind": kind, "uid": of, "controller": True}]
    return made


def test_instances_of_one_service_stand_apart_whatever_else_is_packed() -> None:
    tally = house(node("a"), node("b"), node("c"))
    where(tally, pod("big", cpu="3"))
    found = where(tally, *(instance(f"w{n}", cpu="100m") for n in range(3)))
    assert sorted(found.values()) == ["a", "b", "c"]
    assert where(tally, instance("w3", cpu="100m")) == {"w3": "a"}  # equally many everywhere: packing decides
    jobs = where(tally, *(instance(f"j{n}", cpu="100m", of="j", kind="Job") for n in range(3)))
    assert set(jobs.values()) == {"a"}


def test_a_closed_node_and_who_leaves_do_not_count_for_standing_apart() -> None:
    tally = house(node("a"), node("b"), node("c", unschedulable=True))
    where(tally, instance("w0"), instance("w1"), instance("w2"))
    counts = [tally.kin["web"].get(i, 0) for i in range(3)]
    assert sorted(counts) == [0, 1, 2]
    fuller = tally.names[counts.index(2)]
    for uid in [uid for uid, at in tally.where.items() if at == fuller]:
        tally.seat(read(instance(uid)), fuller, leaving=True)
    assert where(tally, instance("w3")) == {"w3": fuller}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 300)), max_size=24),
    st.lists(st.integers(0, 23), max_size=6),
)
def test_where_there_is_room_no_node_has_two_more_than_another(
    nodes: int, wanted: list[tuple[str, int]], gone: list[int]
) -> None:
    tally = house(*(node(f"n{i}", cpu="100") for i in range(nodes)))
    for at, (owner, millis) in enumerate(wanted):
        where(tally, instance(f"p{at}", cpu=f"{millis}m", of=owner))
        counts = [tally.kin[owner].get(i, 0) for i in range(nodes)]
        assert max(counts) - min(counts) <= 1
    for at in gone:
        tally.unseat(f"p{at}")
    left: dict[str, dict[int, int]] = {}
    for i, seats in enumerate(tally.seats):
        for seat in seats.values():
            left.setdefault(seat.wants.owner, {}).setdefault(i, 0)
            left[seat.wants.owner][i] += 1
    assert tally.kin == left


def test_binds_in_flight_count_and_go_again() -> None:
    tally = house(node("a", cpu="1"))
    assert where(tally, pod("p", cpu="1")) == {"p": "a"}
    assert "Insufficient cpu" in why(tally, pod("q", cpu="1"))
    tally.unseat("p")
    assert where(tally, pod("q", cpu="1")) == {"q": "a"}


def test_tolerations_and_cordon() -> None:
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    tally = house(node("a", taints=[taint]))
    for toleration in ({"key": "gpu", "operator": "Exists"}, {"operator": "Exists"},
                       {"key": "gpu", "value": "yes", "effect": "NoSchedule"}):  # fmt: skip
        assert where(tally, pod("p", tolerations=[toleration])) == {"p": "a"}
    assert "taint" in why(tally, pod("q", tolerations=[{"key": "gpu", "value": "no"}]))
    cordoned = house(node("a", unschedulable=True))
    daemon = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]
    assert where(cordoned, pod("p", tolerations=daemon)) == {"p": "a"}


def test_node_affinity() -> None:
    tally = house(node("a", labels={"disk": "ssd", "n": "3"}), node("b", labels={"n": "9"}))

    def required(*expressions: Any, fields: Any = ()) -> dict[str, Any]:
        term = {"matchExpressions": list(expressions), "matchFields": list(fields)}
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}

    rules = {
        "a": {"key": "disk", "operator": "In", "values": ["ssd"]},
        "b": {"key": "n", "operator": "Gt", "values": ["5"]},
    }
    for name, rule in rules.items():
        assert where(tally, pod("p", affinity=required(rule))) == {"p": name}
    by_field = {"key": "metadata.name", "operator": "In", "values": ["b"]}
    assert where(tally, pod("p", affinity=required(fields=[by_field]))) == {"p": "b"}
    assert "node affinity/selector" in why(tally, pod("q", affinity=required()))
    preference = {"weight": 10, "preference": {"matchExpressions": [rules["a"]]}}
    soft = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preference]}}
    where(tally, pod("weight", cpu="3", nodeSelector={"n": "9"}))
    assert where(tally, pod("p", affinity=soft)) == {"p": "a"}


def test_host_ports() -> None:
    tally = house(node("a"))
    assert where(tally, pod("p", container={"ports": [{"containerPort": 1, "hostPort": 80}]})) == {"p": "a"}
    taken = pod("q", container={"ports": [{"containerPort": 1, "hostPort": 80, "hostIP": "127.0.0.1"}]})
    assert "1 node(s) didn't have free ports for the requested pod ports" in why(tally, taken)
    assert where(tally, pod("r", container={"ports": [{"containerPort": 1, "hostPort": 81}]})) == {"r": "a"}


def anti(labels: dict[str, str], topology: str = "kubernetes.io/hostname", part: str = "podAntiAffinity") -> Any:
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": topology}
    return {part: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_anti_affinity_spreads_and_repels() -> None:
    tally = house(node("a"), node("b"))
    web = {"app": "web"}
    assert sorted(where(tally, *(pod(f"p{i}", labels=web, affinity=anti(web)) for i in range(2))).values()) == [
        "a",
        "b",
    ]
    assert "2 node(s) didn't match pod anti-affinity rules" in why(tally, pod("p2", labels=web, affinity=anti(web)))
    assert "2 node(s) didn't satisfy existing pods anti-affinity rules" in why(tally, pod("plain", labels=web))


def test_affinity_follows_and_may_start() -> None:
    tally = house(node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"}), node("c"))
    web, near = {"app": "web"}, anti({"app": "web"}, "zone", "podAffinity")
    assert "didn't match pod affinity rules" in why(tally, pod("alone", affinity=near))
    first = where(tally, pod("p", labels=web, affinity=near))["p"]
    assert first in ("a", "b")
    assert where(tally, pod("q", labels=web, affinity=near)) == {"q": first}


def test_spread() -> None:
    tally = house(node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"}), node("c"))
    web = {"app": "web"}
    rule = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": web},
    }
    found = where(tally, *(pod(f"p{i}", labels=web, topologySpreadConstraints=[rule]) for i in range(4)))
    assert sorted(found.values()) == ["a", "a", "b", "b"]
    tally.set_node(node("b", labels={"zone": "2"}, unschedulable=True))
    tally.set_node(node("a", labels={"zone": "1"}, cpu="0"))
    assert "1 node(s) didn't match pod topology spread constraints (missing required label)" in why(
        tally, pod("p9", cpu="1", labels=web, topologySpreadConstraints=[rule])
    )


def test_what_is_not_supported_is_refused() -> None:
    tally = house(node("a"))
    assert "resourceClaims is not supported" in why(tally, pod("q", resourceClaims=[{"name": "x"}]))


def test_requests_of_init_containers_and_sidecars() -> None:
    def c(cpu: str, **more: Any) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec = {"containers": [c("300m"), c("200m")],
            "initContainers": [c("400m"), c("100m", restartPolicy="Always"), c("800m")],
            "overhead": {"cpu": "50m"}}  # fmt: skip
    assert pod_requests({"spec": spec}) == {"cpu": 950.0}


def test_priority_goes_first() -> None:
    tally = house(node("a", cpu="1"))
    assert where(tally, pod("low", cpu="1"), pod("high", cpu="1", priority=5)) == {"high": "a"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000)), max_size=30), st.data())
def test_no_node_is_ever_over_its_capacity(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    tally = house(node("a", cpu="4", memory="2000", pods="5"), node("b", cpu="2", memory="4000"))
    pods = [pod(f"p{i}", cpu=f"{cpu}m", memory=str(memory)) for i, (cpu, memory) in enumerate(sizes)]
    for start in range(0, len(pods), 7):
        decide(tally, pods[start : start + 7])
        if tally.where and data.draw(st.booleans()):
            tally.unseat(data.draw(st.sampled_from(sorted(tally.where))))
        for resource in ("cpu", "memory", "pods"):
            assert all(tally.free(resource, i) >= 0 for i in range(2))
    for name in list(tally.where):
        tally.unseat(name)
    assert all(sum(column) == 0 for column in tally.used.values())


def test_a_seat_is_replaced_not_doubled() -> None:
    tally = house(node("a"))
    wants = read(pod("p", cpu="1"))
    tally.seat(wants, "a")
    tally.seat(wants, "a", leaving=True)
    assert tally.used["cpu"] == [1000.0] and tally.used["pods"] == [1.0]


def test_preemption_asks_the_least_important_to_leave() -> None:
    tally = house(node("a", cpu="2"), node("b", cpu="2"), node("c", cpu="1"))
    on_a, on_b = {"kubernetes.io/hostname": "a"}, {"kubernetes.io/hostname": "b"}
    where(tally, pod("a-low", cpu="1", nodeSelector=on_a, priority=1))
    where(tally, pod("a-mid", cpu="1", nodeSelector=on_a, priority=5))
    where(tally, pod("b-mid", cpu="2", nodeSelector=on_b, priority=5))
    before = [list(column) for column in tally.used.values()]
    (found,) = decide(tally, [pod("vip", cpu="1500m", priority=9)])
    assert isinstance(found, Refused) and found.preemption is not None
    assert found.message == "0/3 nodes are available: 3 Insufficient cpu."
    assert (found.preemption.node, [s.wants.name for s in found.preemption.victims]) == ("b", ["b-mid"])
    (found,) = decide(tally, [pod("small", cpu="1", priority=9, nodeSelector=on_a)])
    assert isinstance(found, Refused) and found.preemption is not None
    assert [s.wants.name for s in found.preemption.victims] == ["a-low"]  # the other is reprieved
    assert [list(column) for column in tally.used.values()] == before
    equal = why(tally, pod("equal", cpu="1", priority=1, nodeSelector=on_a))
    assert "1 No preemption victims found for incoming pod" in equal
    waiting = pod("small", cpu="1", priority=9, nodeSelector=on_a)
    waiting["status"] = {"nominatedNodeName": "a"}
    tally.seat(read(pod("a-low", cpu="1", nodeSelector=on_a, priority=1)), "a", leaving=True)
    assert why(tally, waiting).endswith("preemption: not eligible due to a terminating pod on the nominated node.")
