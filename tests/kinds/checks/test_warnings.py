from typing import Any

from madang.kinds.checks.warnings import warnings
from tests.kinds.checks.objects import container, of, pod, template


def annotated(**annotations: str) -> dict[str, Any]:
    obj = pod()
    obj["metadata"]["annotations"] = annotations
    return obj


def test_dead_annotations() -> None:
    obj = annotated(**{"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"})
    words = [
        "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "
        '"seccompProfile" field instead'
    ]
    assert warnings("pods", obj) == words
    assert warnings("pods", obj, pod()) == words
    assert warnings("pods", obj, obj) == []


def test_containers() -> None:
    twice = [{"containerPort": 80}, {"containerPort": 80}]
    obj = container(env=[{"name": "A"}, {"name": "A"}], ports=twice, resources={"limits": {"memory": "100m"}})
    assert warnings("pods", obj) == [
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    ]


def test_names_finalizers_and_templates() -> None:
    obj = pod()
    obj["metadata"]["name"] = "a.b"
    assert warnings("pods", obj)[0].endswith("a DNS label is recommended: [must not contain dots]")
    assert warnings("configmaps", of("ConfigMap")) == []
    kept = of("ConfigMap", metadata={"finalizers": ["mine"]})
    assert warnings("configmaps", kept)[0].startswith('metadata.finalizers: "mine": prefer a domain-qualified')
    job = of("Job", "batch/v1", spec={"template": template(nodeSelector={"beta.kubernetes.io/os": "linux"})})
    assert warnings("jobs.batch", job) == [
        'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'
    ]
