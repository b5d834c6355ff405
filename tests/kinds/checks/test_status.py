from madang.kinds.checks.faults import invalid as wrong
from madang.kinds.checks.faults import required
from madang.kinds.checks.status import invalid


def test_one_fault_stands_alone() -> None:
    refusal = invalid("Deployment", "apps", "d", [required("spec.selector")])
    assert refusal.body() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Deployment.apps "d" is invalid: spec.selector: Required value',
        "reason": "Invalid",
        "details": {
            "group": "apps",
            "kind": "Deployment",
            "name": "d",
            "causes": [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"}],
        },
        "code": 422,
    }


def test_the_message_says_the_same_once_and_the_causes_all() -> None:
    refusal = invalid("Pod", "", "", [wrong("a", "x", "no"), wrong("a", "x", "no"), required("b")])
    assert refusal.message == 'Pod "" is invalid: [a: Invalid value: "x": no, b: Required value]'
    assert refusal.details is not None
    assert len(refusal.details["causes"]) == 3 and "name" not in refusal.details and "group" not in refusal.details
