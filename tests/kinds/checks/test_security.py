from madang.kinds.checks.security import check_container_security, check_pod_security
from tests.kinds.checks.objects import told


def test_pods() -> None:
    context = {"runAsGroup": -1, "sysctls": [{"name": "a"}, {"name": "a"}], "seccompProfile": {"type": "Localhost"}}
    assert told(check_pod_security(context, {"shareProcessNamespace": True, "hostPID": True}, "s")) == [
        "s.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
        "s.runAsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive",
        's.sysctls[1].name: Duplicate value: "a"',
        "s.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
    ]
    assert told(check_pod_security({"runAsUser": 0}, {}, "s")) == []


def test_containers() -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}
    [told_once] = told(check_container_security(context, "s"))
    assert told_once.endswith("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
    assert told(check_container_security({"procMount": "Odd"}, "s")) == [
        's.procMount: Unsupported value: "Odd": supported values: "Default", "Unmasked"'
    ]
