import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.checks.pod import check_pod, check_pod_status
from tests.kinds.checks.objects import container, pod, told

Obj = dict[str, Any]


def changed(**spec: Any) -> Obj:
    return pod(**spec)


def test_a_good_pod_has_no_faults() -> None:
    assert told(check_pod(pod(), None)) == []
    assert told(check_pod(pod(), pod())) == []


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({"restartPolicy": "Often"},
         ['spec.restartPolicy: Unsupported value: "Often": supported values: "Always", "OnFailure", "Never"']),
        ({"dnsPolicy": "None"}, ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
        ({"hostNetwork": True, "containers": [{"name": "c", "image": "i",
                                               "ports": [{"containerPort": 80, "hostPort": 81}]}]},
         ["spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is "
          "true"]),
        ({"schedulingGates": [{"name": "a"}, {"name": "a"}]}, ['spec.schedulingGates[1]: Duplicate value: "a"']),
        ({"nodeSelector": {"a": "_"}}, 1),
        ({"hostAliases": [{"ip": "x"}]}, 1),
        ({"initContainers": [{"name": "c", "image": "i"}]}, ['spec.initContainers[0].name: Duplicate value: "c"']),
        ({"initContainers": [{"name": "d", "image": "i", "readinessProbe": {"tcpSocket": {"port": 1}}}]},
         ["spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without "
          "restartPolicy=Always"]),
        ({"initContainers": [{"name": "d", "image": "i", "restartPolicy": "Always",
                              "readinessProbe": {"tcpSocket": {"port": 1}}}]}, []),
        ({"imagePullSecrets": [{}]}, 1),
    ],
)  # fmt: skip
def test_specs(spec: Obj, faults: list[str] | int) -> None:
    found = told(check_pod(pod(**spec), None))
    assert len(found) == faults if isinstance(faults, int) else found == faults


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"image": " i"}, ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing '
                           "whitespace"]),
        ({"env": [{"name": "A", "valueFrom": {}}]},
         ['spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, '
          "`resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"]),
        ({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.disk"}}}]}, 1),
        ({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}}]}, []),
        ({"envFrom": [{}]}, 1),
        ({"envFrom": [{"configMapRef": {"name": "Bad_"}}]}, 1),
        ({"livenessProbe": {"exec": {}}}, ["spec.containers[0].livenessProbe.exec.command: Required value"]),
        ({"livenessProbe": {"httpGet": {"port": 1}, "successThreshold": 2}},
         ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 99}}}}, 1),
        ({"ports": [{"containerPort": 1, "hostPort": 5}, {"containerPort": 2, "hostPort": 5}]},
         ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//5"']),
        ({"resources": {"requests": {"example.com/gpu": "1"}}},
         ["spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"]),
        ({"resources": {"limits": {"disk": "1"}}}, 4),
        ({"securityContext": {"allowPrivilegeEscalation": False, "privileged": True}}, 1),
    ],
)  # fmt: skip
def test_containers(fields: Obj, faults: list[str] | int) -> None:
    found = told(check_pod(container(**fields), None))
    assert len(found) == faults if isinstance(faults, int) else found == faults


def test_what_may_change() -> None:
    old = pod(activeDeadlineSeconds=50, tolerations=[{"key": "a", "operator": "Exists"}])
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["image"] = "j"
    new["spec"]["activeDeadlineSeconds"] = 40
    new["spec"]["tolerations"].append({"key": "b", "operator": "Exists"})
    assert told(check_pod(new, old)) == []
    new["spec"]["activeDeadlineSeconds"] = 60
    new["spec"]["tolerations"].pop(0)
    assert told(check_pod(new, old)) == [
        "spec.activeDeadlineSeconds: Invalid value: 60: must be less than or equal to previous value",
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
    ]
    gone = pod(tolerations=[{"key": "a", "operator": "Exists"}])
    assert told(check_pod(gone, old)) == [
        "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"
    ]


def test_what_may_not_change_is_shown() -> None:
    [cause] = check_pod(pod(restartPolicy="Never"), pod())
    words, _, shown = cause.message.partition("\n")
    assert words == (
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
        "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
    )
    assert shown.splitlines()[1:] == [
        "   }",
        "  ],",
        '  "EphemeralContainers": null,',
        '- "RestartPolicy": "Always",',
        '+ "RestartPolicy": "Never",',
        '  "TerminationGracePeriodSeconds": 30,',
        '  "ActiveDeadlineSeconds": null,',
        '  "DNSPolicy": "ClusterFirst",',
    ]


def test_containers_neither_come_nor_go() -> None:
    two = pod(containers=[{"name": "c", "image": "i"}, {"name": "d", "image": "i"}])
    words = ["spec.containers: Forbidden: pod updates may not add or remove containers"]
    assert told(check_pod(two, pod())) == words
    assert told(check_pod(pod(), two)) == words


def test_gates_only_go() -> None:
    gated = pod(schedulingGates=[{"name": "x.example/a"}])
    assert told(check_pod(pod(), gated)) == []
    assert told(check_pod(gated, pod())) == [
        "spec.schedulingGates[0]: Forbidden: only deletion is allowed, but found new scheduling gate 'x.example/a'"
    ]
    aimed = pod(schedulingGates=[{"name": "x.example/a"}], nodeSelector={"a": "b"})
    assert told(check_pod(aimed, gated)) == []


def test_a_container_that_has_ended_for_good_stays_ended() -> None:
    old = pod(restartPolicy="Never") | {
        "status": {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]}
    }
    new = {**old, "status": {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}}
    assert told(check_pod_status(new, old)) == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    ]
    assert told(check_pod_status(old, old)) == []


words = st.sampled_from(["", "a", "B_", "x/y", "..", "a" * 70])
numbers = st.sampled_from([None, -1, 0, 1, 70000])
ports = st.lists(st.fixed_dictionaries({}, optional={"name": words, "containerPort": numbers, "protocol": words}))
mounts = st.lists(st.fixed_dictionaries({}, optional={"name": words, "mountPath": words, "subPath": words}))
probes = st.none() | st.fixed_dictionaries(
    {}, optional={"httpGet": st.fixed_dictionaries({}, optional={"path": words}), "periodSeconds": numbers}
)
containers = st.lists(
    st.fixed_dictionaries(
        {}, optional={"name": words, "image": words, "ports": ports, "volumeMounts": mounts, "livenessProbe": probes}
    )
)


@given(containers, st.lists(st.fixed_dictionaries({}, optional={"name": words, "emptyDir": st.just({})})), words)
def test_nothing_that_decodes_breaks_the_checks(inside: list[Obj], volumes: list[Obj], name: str) -> None:
    obj = pod(containers=inside, volumes=volumes, hostname=name)
    for cause in check_pod(obj, None):
        assert cause.field.startswith("spec") and cause.message
    check_pod(obj, pod())
