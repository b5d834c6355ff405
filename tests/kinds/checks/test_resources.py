from madang.kinds.checks.resources import check_resources
from tests.kinds.checks.objects import told


def test_requests_stay_within_limits() -> None:
    assert told(check_resources({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}, "r")) == []
    assert told(check_resources({"limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}, "r")) == [
        'r.requests: Invalid value: "2Mi": must be less than or equal to memory limit of 1Mi'
    ]
    assert told(check_resources({"limits": {"a.b/c": "2"}, "requests": {"a.b/c": "1"}}, "r")) == [
        'r.requests: Invalid value: "1": must be equal to a.b/c limit of 2'
    ]


def test_what_has_no_fractions() -> None:
    assert told(check_resources({"limits": {"a.b/c": "500m"}}, "r")) == [
        'r.limits[a.b/c]: Invalid value: "500m": must be an integer'
    ]


def test_claims_are_named_in_the_pod() -> None:
    assert told(check_resources({"claims": [{"name": "x"}]}, "r", frozenset({"y"}))) == ['r.claims[0]: Not found: "x"']
