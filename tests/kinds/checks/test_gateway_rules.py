from typing import Any

import pytest

from madang.kinds.checks.gateway_rules import check_expressions
from tests.kinds.checks.objects import told

WEB = {"name": "web", "port": 80}


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        ({"matches": [{"path": {"value": "/a/b"}}], "backendRefs": [WEB]}, []),
        ({"matches": [{"path": {"type": "Exact", "value": "a//b/.."}}]},
         ["spec.rules[0].matches[0].path: Invalid value: value must be an absolute path and start with '/' when type "
          "one of ['Exact', 'PathPrefix']",
          "spec.rules[0].matches[0].path: Invalid value: must not contain '//' when type one of ['Exact', "
          "'PathPrefix']",
          "spec.rules[0].matches[0].path: Invalid value: must not end with '/..' when type one of ['Exact', "
          "'PathPrefix']"]),
        ({"matches": [{"path": {"type": "RegularExpression", "value": "a//"}}]}, []),
        ({"backendRefs": [{"name": "web"}]},
         ["spec.rules[0].backendRefs[0]: Invalid value: Must have port for Service reference"]),
        ({"filters": [{"type": "RequestRedirect", "urlRewrite": {}}], "backendRefs": [WEB]},
         ["spec.rules[0]: Invalid value: RequestRedirect filter must not be used together with backendRefs",
          "spec.rules[0].filters[0]: Invalid value: filter.requestRedirect must be specified for RequestRedirect "
          "filter.type",
          "spec.rules[0].filters[0]: Invalid value: filter.urlRewrite must be nil if the filter.type is not "
          "URLRewrite"]),
    ],
)  # fmt: skip
def test_routes(rule: dict[str, Any], faults: list[str]) -> None:
    assert told(check_expressions("HTTPRoute", {"spec": {"rules": [rule]}}, None)) == faults


def test_listeners() -> None:
    listeners = [
        {"name": "a", "port": 1, "protocol": "HTTP", "tls": {}},
        {"name": "b", "port": 2, "protocol": "HTTPS", "tls": {"mode": "Passthrough"}},
        {"name": "c", "port": 3, "protocol": "TCP", "hostname": "x"},
    ]
    assert told(check_expressions("Gateway", {"spec": {"listeners": listeners}}, None)) == [
        "spec.listeners: Invalid value: tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
        "spec.listeners: Invalid value: tls mode must be Terminate for protocol HTTPS",
        "spec.listeners: Invalid value: hostname must not be specified for protocols ['TCP', 'UDP']",
    ]


def test_a_class_keeps_its_controller() -> None:
    old, new = {"spec": {"controllerName": "a.b/c"}}, {"spec": {"controllerName": "a.b/d"}}
    assert told(check_expressions("GatewayClass", new, old)) == [
        'spec.controllerName: Invalid value: "a.b/d": Value is immutable'
    ]
    assert told(check_expressions("GatewayClass", new, None)) == []
