"""The picture: what each lamp says of which state, and that it can say something of any state."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.web.elements import BANDS
from madang.web.lamps import LIGHTS
from madang.web.picture import RANK, Lit, Picture, picture
from madang.web.reading import machine, read, snapshot
from tests.web import things

WORDS = st.text(max_size=12) | st.sampled_from(["{", "{0}", "<b>", "%s", "가"])


def lamp(picture: Picture, key: str) -> Lit:
    return next(lit for lit in picture.every() if lit.element.key == key)


def test_a_healthy_shop_shines() -> None:
    found = things.seen(things.whole())
    wrong = {x.element.key: x.reason.en for x in found.every() if x.lamp in ("busy", "failed")}
    assert wrong == {}
    assert lamp(found, "gateway").reason.en == "open at http://127.0.0.1:7080"
    assert lamp(found, "core-services").lamp == "ok"
    assert lamp(found, "bin-packing").reason.en == "50 % of CPU, 3 % of memory given"
    assert lamp(found, "front-end").reason.en == "web"
    assert lamp(found, "back-end").reason.ko == "catalog"


def test_nothing_running_is_dark_but_named() -> None:
    found = things.seen({}, record={})
    assert {x.lamp for x in found.every()} == {"absent"}
    assert not found.running
    assert lamp(found, "gateway").reason.ko == "마당이 실행 중이 아닙니다"
    assert lamp(found, "message-bus").reason.en == "not built yet"


@pytest.mark.parametrize(
    ("change", "key", "expected", "reason"),
    [
        ({"nodes": [things.node(ready=False)]}, "machine", "failed", "node-1 is not ready"),
        ({"nodes": [things.node(), things.node("b", False)]}, "nodes", "busy", "b is not ready"),
        ({"nodes": [things.node(unschedulable=True)]}, "nodes", "busy", "node-1 takes no new pods"),
        ({"deployments.apps": [things.deployment("web", 3, 1)]}, "scaling", "busy", "web: 1 of 3 ready"),
        ({"pods": [things.crashing("web-1")]}, "recovery", "failed", "web: exit code 3: no database"),
        ({"pods": [things.crashing("web-1")]}, "orchestration", "failed", "web: exit code 3: no database"),
        ({"gateways.gateway.networking.k8s.io": [things.front(False)]}, "gateway", "failed", "port taken"),
        ({"endpointslices.discovery.k8s.io": []}, "load-balancing", "busy", "nobody answers behind its name"),
        ({"deployments.apps": [things.deployment("web", 2, 0)]}, "core-services", "busy", "web: 0 of 2 ready"),
    ],
)
def test_lamps(change: dict[str, Any], key: str, expected: str, reason: str) -> None:
    lit = lamp(things.seen({**things.whole(), **change}), key)
    assert (lit.lamp, reason in lit.reason.en) == (expected, True), lit.reason.en
    assert lit.reason.ko


def test_a_gateway_that_does_not_answer() -> None:
    found = picture(snapshot(read(things.whole()), machine(things.RECORD, gateway_alive=False)))
    assert [lamp(found, key).lamp for key in ("gateway", "load-balancing", "orchestration")] == ["failed"] * 3
    assert lamp(found, "gateway").reason.ko == "HAProxy가 응답하지 않습니다"


def test_what_fits_nowhere_says_why() -> None:
    why = "0/1 nodes are available: 1 Insufficient cpu"
    pod = things.pod("web-9", ready=False, phase="Pending", containerStatuses=[])
    pod["spec"].pop("nodeName")
    pod["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": f"{why}. no new claims to deallocate, and so on."}
    ]
    lit = lamp(things.seen({**things.whole(), "pods": [pod]}), "placement")
    assert (lit.lamp, lit.reason.en) == ("failed", f"1 fits nowhere: {why}")


def test_a_reason_is_short() -> None:
    lit = lamp(things.seen({**things.whole(), "pods": [things.crashing("web-1", said="word " * 200)]}), "recovery")
    assert len(lit.reason.en) < 120 and lit.reason.en.endswith("…")


def test_every_element_has_a_light_and_every_light_an_element() -> None:
    elements = [e for band in BANDS for one in band.elements for e in (one, *one.parts)]
    keys = [e.key for e in elements]
    assert len(keys) == len(set(keys))
    assert set(LIGHTS) <= {e.key for e in elements if e.built}
    assert all(e.name.en and e.name.ko for e in elements)
    alone = [e.key for e in elements if e.built and not e.parts and e.key not in LIGHTS]
    assert alone == []


POD = st.builds(
    things.pod,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["web", "catalog", "{x}"]),
    st.booleans(),
    phase=st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]),
) | st.builds(things.crashing, st.sampled_from(["a", "b"]), WORDS.map(lambda w: w or "x"))
STATES = st.fixed_dictionaries(
    {},
    optional={
        "nodes": st.lists(st.builds(things.node, WORDS, st.booleans()), max_size=3),
        "pods": st.lists(POD, max_size=6),
        "deployments.apps": st.lists(
            st.builds(things.deployment, st.sampled_from(["web", "catalog"]), st.integers(0, 4), st.integers(0, 4)),
            max_size=3,
        ),
        "services": st.lists(
            st.builds(things.service, st.sampled_from(["web", "catalog"]), outside=st.integers(0, 2)), max_size=3
        ),
        "gateways.gateway.networking.k8s.io": st.lists(st.builds(things.front, st.booleans()), max_size=2),
    },
)


@given(STATES)
def test_any_state_has_a_picture(objects: dict[str, Any]) -> None:
    found = things.seen(objects)
    for lit in found.every():
        assert lit.reason.en and lit.reason.ko
        assert lit.lamp in RANK
        if not lit.element.built:
            assert lit.lamp == "absent"
        shine = [RANK[p.lamp] for p in lit.parts if p.element.built]
        assert not shine or RANK[lit.lamp] >= max(r if r > RANK["ok"] else 0 for r in shine)
    assert found == things.seen(objects)
    assert things.seen(objects).as_json("ko")["bands"][0]["name"] == "인프라"
