"""Whether a pod gets traffic follows from slices, not from hopes."""

import pytest

from madang.node.pod.traffic import SERVICE_NAME, SLICES, led, services
from madang.ports.objects import Obj
from tests.view import House

POD: Obj = {"metadata": {"name": "p", "namespace": "default", "uid": "u1", "labels": {"app": "web"}}}


def house(**conditions: bool) -> House:
    found = House()
    metadata = {"name": "web", "namespace": "default", "uid": "s"}
    found.objects["services", "default", "web"] = {"metadata": metadata, "spec": {"selector": {"app": "web"}}}
    endpoint = {"addresses": ["10.0.0.9"], "conditions": conditions, "targetRef": {"kind": "Pod", "uid": "u1"}}
    metadata = {**metadata, "name": "web-1", "labels": {SERVICE_NAME: "web"}}
    found.objects[SLICES, "default", "web-1"] = {"metadata": metadata, "endpoints": [endpoint]}
    return found


@pytest.mark.parametrize(
    ("conditions", "leads"),
    [
        ({"ready": True, "serving": True, "terminating": False}, True),
        ({"ready": False, "serving": True, "terminating": True}, False),
        ({"ready": False, "serving": False, "terminating": False}, False),
        ({"ready": True, "serving": False, "terminating": False}, False),  # a Service that publishes the unready, too
        ({}, True),  # what is not said counts as ready (discovery/v1)
    ],
)
def test_led_to_as_long_as_a_slice_says_that_it_serves(conditions: dict[str, bool], leads: bool) -> None:
    assert led(POD, house(**conditions), ["web"]) is leads
    assert not led(POD, house(**conditions), ["cart"]), "slices of others are not looked at"


def test_served_by_labels() -> None:
    other: Obj = {"metadata": {**POD["metadata"], "uid": "u2", "labels": {"app": "cart"}}}
    assert services(POD, house()) == ["web"] and services(other, house()) == []
    assert not led(other, house(serving=True), ["web"])
