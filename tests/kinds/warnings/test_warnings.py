"""What the API warns of, word for word."""

from typing import Any

from madang.kinds.warnings import WARNINGS
from madang.ports.objects import Obj


def pod(meta: Obj | None = None, **spec: Any) -> list[str]:
    containers = {"containers": [{"name": "c"}]}
    return list(WARNINGS["pods"]({"metadata": {"name": "p", **(meta or {})}, "spec": {**containers, **spec}}, None))


def test_a_plain_pod_is_well() -> None:
    assert pod() == []


def test_deprecated_annotations_labels_and_volumes() -> None:
    key = "seccomp.security.alpha.kubernetes.io/pod"
    assert pod({"annotations": {key: "runtime/default"}}) == [
        f'metadata.annotations[{key}]: non-functional in v1.27+; use the "seccompProfile" field instead'
    ]
    assert pod(nodeSelector={"beta.kubernetes.io/os": "linux"}, volumes=[{"name": "g", "gitRepo": {}}]) == [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
    ]


def test_things_that_stand_twice() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "3"}]
    ports = [
        {"name": "h", "containerPort": 80, "protocol": "TCP"},
        {"name": "h", "containerPort": 80, "protocol": "TCP"},
    ]
    assert pod(containers=[{"name": "c", "env": env, "ports": ports}]) == [
        'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        'spec.containers[0].ports[1]: duplicate port name "h" with spec.containers[0].ports[0], services and probes '
        "that select ports by name will use spec.containers[0].ports[0]",
    ]
    assert pod(imagePullSecrets=[{"name": "a"}, {"name": "a"}, {}]) == [
        'spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""',
    ]  # fmt: skip


def test_fractions_of_bytes_and_selectors_of_nothing() -> None:
    assert pod(containers=[{"name": "c", "resources": {"limits": {"memory": "1500m"}}}]) == [
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer'
    ]
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "k"}]}}
    assert pod(affinity=affinity) == [
        "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null "
        "labelSelector results in matching no pod"
    ]


def test_workloads_warn_of_their_template_when_it_changes() -> None:
    template = {"spec": {"containers": [], "terminationGracePeriodSeconds": -1}}
    job = {"metadata": {"name": "a.b", "generation": 1}, "spec": {"template": template}}
    name, grace = WARNINGS["jobs.batch"](job, None)
    assert name.startswith("metadata.name: this is used in Pod names and hostnames, which can result in surprising")
    assert grace == (
        "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be "
        "treated as 1"
    )
    assert list(WARNINGS["jobs.batch"](job, job)) == []


def test_a_name_without_use_is_told() -> None:
    spec = {"type": "ClusterIP", "clusterIP": "10.0.0.1", "externalName": "x.y"}
    assert 'spec.externalName is ignored when spec.type is not "ExternalName"' in WARNINGS["services"](
        {"metadata": {"name": "s"}, "spec": spec}, None
    )


def test_services() -> None:
    spec = {"type": "ClusterIP", "clusterIP": "None", "sessionAffinity": "ClientIP", "loadBalancerIP": ""}
    assert list(WARNINGS["services"]({"metadata": {"name": "s"}, "spec": spec}, None)) == [
        "spec.SessionAffinity is ignored for headless services",
    ]
