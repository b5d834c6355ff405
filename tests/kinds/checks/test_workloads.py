import copy

from madang.kinds.checks.job import check_job
from madang.kinds.checks.workloads import check_deployment, check_deployment_status, check_replica_set
from tests.kinds.checks.objects import of, template, told

SELECTOR = {"matchLabels": {"app": "a"}}


def test_a_selector_is_for_ever() -> None:
    old = of("Deployment", "apps/v1", spec={"selector": SELECTOR, "template": template()})
    assert told(check_deployment(old, None)) == []
    new = copy.deepcopy(old)
    new["spec"]["selector"] = {"matchLabels": {"app": "z"}}
    assert told(check_deployment(new, old)) == [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
        'spec.selector: Invalid value: {"matchLabels":{"app":"z"}}: field is immutable',
    ]


def test_replica_sets() -> None:
    good = of("ReplicaSet", "apps/v1", spec={"selector": SELECTOR, "template": template()})
    assert told(check_replica_set(good, None)) == []
    good["spec"]["replicas"] = -1
    good["spec"]["template"]["spec"]["activeDeadlineSeconds"] = 5
    assert told(check_replica_set(good, None)) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
    ]


def test_counts_fit_each_other() -> None:
    obj = of("Deployment", "apps/v1", spec={"selector": SELECTOR, "template": template()})
    new = {**obj, "status": {"replicas": 1, "readyReplicas": 2, "availableReplicas": 1}}
    assert told(check_deployment_status(new, obj)) == [
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"
    ]


def test_jobs() -> None:
    pods = template(restartPolicy="Never")
    old = of("Job", "batch/v1", spec={"template": pods})
    assert told(check_job(old, None)) == []
    new = copy.deepcopy(old)
    new["spec"] |= {"completions": 5, "completionMode": "Indexed", "parallelism": -1}
    assert told(check_job(new, old)) == [
        "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
        'spec.completionMode: Invalid value: "Indexed": field is immutable',
    ]
    indexed = of("Job", "batch/v1", spec={"template": pods, "completionMode": "Indexed"})
    indexed["spec"].pop("completions", None)
    assert told(check_job(indexed, None)) == ["spec.completions: Required value: when completion mode is Indexed"]
    moved = copy.deepcopy(old)
    moved["spec"]["template"]["spec"]["nodeSelector"] = {"a": "b"}
    assert [c.field for c in check_job(moved, old)] == ["spec.template"]
    old["spec"]["suspend"] = moved["spec"]["suspend"] = True
    assert told(check_job(moved, old)) == []
