from typing import Any

from madang.kinds.checks import CHECKS
from madang.kinds.checks.custom import check_rules
from madang.kinds.schema import Node
from tests.kinds.checks.objects import of, told

UNCHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
V1 = "gateway.networking.k8s.io/v1"


def faults(kind: str, obj: dict[str, Any]) -> list[str]:
    return told(CHECKS[f"{kind}.gateway.networking.k8s.io"](obj, None))


def test_gateways() -> None:
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    good = of("Gateway", V1, spec={"gatewayClassName": "madang", "listeners": [listener]})
    assert faults("gateways", good) == []
    bad = of("Gateway", V1, spec={"listeners": [{**listener, "port": 70000}]})
    assert faults("gateways", bad) == [
        "spec.gatewayClassName: Required value",
        "spec.listeners[0].port: Invalid value: 70000: spec.listeners[0].port in body should be less than or equal to "
        "65535",
        UNCHECKED,
    ]
    twice = of("Gateway", V1, spec={"gatewayClassName": "madang", "listeners": [listener, listener]})
    assert faults("gateways", twice) == [
        'spec.listeners[1]: Duplicate value: {"name":"web"}',
        "spec.listeners: Invalid value: Listener name must be unique within the Gateway",
        "spec.listeners: Invalid value: Combination of port, protocol and hostname must be unique for each listener",
    ]


def test_routes() -> None:
    rule = {"matches": [{"path": {"type": "Sideways", "value": "/"}}], "backendRefs": [{"name": "web", "port": 80}]}
    route = of("HTTPRoute", V1, spec={"hostnames": ["Bad_Name"], "rules": [rule]})
    found = faults("httproutes", route)
    assert found[0].startswith('spec.hostnames[0]: Invalid value: "Bad_Name": spec.hostnames[0] in body should match')
    assert found[1] == (
        'spec.rules[0].matches[0].path.type: Unsupported value: "Sideways": supported values: "Exact", "PathPrefix", '
        '"RegularExpression"'
    )


def test_every_rule_has_its_words() -> None:
    def one(value: Any, **rules: Any) -> list[str]:
        return told(check_rules(value, Node("any", rules=rules), "a"))

    assert one("xx", maxLength=1) == ["a: Too long: may not be more than 1 bytes"]
    assert one("", minLength=1) == ['a: Invalid value: "": a in body should be at least 1 chars long']
    assert one([1, 2], maxItems=1) == ["a: Too many: 2: must have at most 1 items"]
    assert one([], minItems=1) == ["a: Invalid value: 0: a in body should have at least 1 items"]
    assert one(0, minimum=1) == ["a: Invalid value: 0: a in body should be greater than or equal to 1"]
