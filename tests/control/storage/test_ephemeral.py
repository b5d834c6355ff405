"""Claims that pods bring with them."""

from typing import Any

from madang.control.storage import ephemeral
from madang.kinds import claims as c
from madang.ports.objects import Obj
from tests.control.settle import decided, settle
from tests.view import House

SPEC: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}}}


def house() -> House:
    house = House()
    house.add("pods", {"metadata": {"name": "p", "uid": "u"}, "spec": {"volumes": [VOLUME]}})
    return house


def test_a_claim_is_made_of_the_template_and_owned_by_the_pod() -> None:
    h = house()
    settle(h, [ephemeral])
    made = h.get(c.CLAIMS, "default", "p-scratch")
    assert made is not None
    assert (made["spec"], made["metadata"]["labels"]) == (SPEC, {"a": "b"})
    owner: Any = made["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("Pod", "u", True)


def test_a_claim_of_somebody_else_is_not_taken_over() -> None:
    h = house()
    h.add(c.CLAIMS, {"metadata": {"name": "p-scratch"}, "spec": SPEC})
    (told,) = decided(ephemeral, h, "p")
    assert told.message == 'PVC "default/p-scratch" was not created for pod "default/p" (pod is not owner)'  # type: ignore[union-attr]
