"""config.json, compared as a value: what a pod says becomes what the runtime is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.containers.resources import oom_score, quality, resources, shares
from madang.node.containers.security import (
    DEFAULT_CAPABILITIES,
    MASKED,
    OWN_NETWORK_SYSCTLS,
    Denied,
    rights,
    root_refused,
    wish,
)
from madang.node.containers.spec import Device, config
from madang.node.runtimes.oci import seccomp
from madang.node.runtimes.oci.inside import inside
from madang.node.runtimes.oci.machine import CAPABILITIES, Machine, held_capabilities, look
from madang.node.runtimes.oci.users import Who, Wish
from madang.node.runtimes.runtime import Mount
from madang.ports.objects import Obj
from tests.node.containers.made import POOR, launch, pod, role

RICH = Machine()


def made(of: Obj, machine: Machine = RICH, **more: Any) -> dict[str, Any]:
    found = config(of, role(of), launch(**more), Who(999, 1000, (1000,)), machine)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def context(**values: Any) -> Obj:
    return pod({"securityContext": values})


def test_a_plain_container() -> None:
    found = made(pod())
    assert found["process"]["args"] == ["redis-server", "--port", "7"]
    assert found["process"]["env"] == ["PATH=/bin", "A=b=c"]
    assert found["process"]["cwd"] == "/data"
    assert found["process"]["user"] == {"uid": 999, "gid": 1000, "additionalGids": [1000]}
    assert found["process"]["terminal"] is False
    assert set(found["process"]["capabilities"]) == {"bounding", "effective", "permitted"}
    assert set(found["process"]["capabilities"]["bounding"]) == set(DEFAULT_CAPABILITIES)
    assert found["process"]["noNewPrivileges"] is False
    assert "rlimits" not in found["process"]
    assert found["root"] == {"path": "rootfs", "readonly": False}
    assert found["hostname"] == "p"
    assert found["linux"]["maskedPaths"] == list(MASKED)
    assert found["linux"]["resources"]["devices"] == [{"allow": False, "access": "rwm"}]
    assert {"type": "network", "path": "/run/madang/netns/id/u-1"} in found["linux"]["namespaces"]
    assert found["linux"]["sysctl"] == OWN_NETWORK_SYSCTLS
    assert found["linux"]["seccomp"]["defaultAction"] == "SCMP_ACT_ERRNO"


def test_namespaces_follow_the_pod_and_the_machine() -> None:
    kinds = {n["type"] for n in made(pod(), POOR)["linux"]["namespaces"]}
    assert kinds == {"pid", "mount", "uts", "ipc", "network"}
    kinds = {n["type"] for n in made(pod(hostIPC=True, hostNetwork=True), RICH, netns="")["linux"]["namespaces"]}
    assert kinds == {"pid", "mount", "uts", "cgroup"}
    assert "sysctl" not in made(pod(hostNetwork=True), netns="")["linux"]


def test_mounts_stand_in_order_and_the_pod_wins() -> None:
    asked = (
        Mount(Path("/v/deep"), "/data/deep/er"),
        Mount(Path("/v/data"), "/data", read_only=True),
        Mount(Path("/v/shm"), "/dev/shm"),
        Mount(Path(), "/scratch/", tmpfs=True, size_bytes=5),
    )
    found = made(pod(), mounts=asked)["mounts"]
    places = [m["destination"] for m in found]
    assert places[:6] == ["/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup"]
    assert places[6:] == ["/data", "/scratch", "/dev/shm", "/data/deep/er"]
    by = {m["destination"]: m for m in found}
    assert by["/data"] == {
        "destination": "/data", "type": "bind", "source": "/v/data", "options": ["rbind", "rprivate", "ro"]
    }  # fmt: skip
    assert by["/dev/shm"]["source"] == "/v/shm"
    assert by["/scratch"]["options"] == ["nosuid", "nodev", "mode=1777", "size=5"]
    assert "ro" in by["/sys"]["options"]


def test_a_privileged_container_gets_what_we_have_and_no_more() -> None:
    of = context(privileged=True)
    device = Device("/dev/kvm", "c", 10, 232, 0o660, 0, 108)
    found = config(of, role(of), launch(), Who(), POOR, [device])
    assert set(found["process"]["capabilities"]["bounding"]) == set(POOR.capabilities)
    assert "seccomp" not in found["linux"]
    assert found["linux"]["maskedPaths"] == []
    assert found["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert found["linux"]["devices"][0]["path"] == "/dev/kvm"
    assert "rw" in next(m for m in found["mounts"] if m["destination"] == "/sys")["options"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"drop": ["ALL"]}, set()),
        ({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, {"CAP_NET_BIND_SERVICE"}),
        ({"add": ["net_admin"]}, {*DEFAULT_CAPABILITIES, "CAP_NET_ADMIN"}),
        ({"drop": ["CAP_CHOWN"]}, set(DEFAULT_CAPABILITIES) - {"CAP_CHOWN"}),
        ({"add": ["ALL"], "drop": ["MKNOD"]}, set(POOR.capabilities) - {"CAP_MKNOD"}),
    ],
)
def test_capabilities(asked: Obj, given: set[str]) -> None:
    of = context(capabilities=asked)
    assert set(rights(of, role(of), POOR).capabilities) == given


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (context(capabilities={"add": ["SYS_RESOURCE"]}), "CAP_SYS_RESOURCE can't be given: madang does not have it"),
        (context(capabilities={"add": ["FLY"]}), "unknown capability CAP_FLY"),
        (context(seccompProfile={"type": "Localhost"}), "seccompProfile: profiles of the node aren't built yet"),
        (context(appArmorProfile={"type": "Localhost"}), "appArmorProfile: profiles of the node"),
        (pod(hostPID=True), "spec.hostPID"),
        (pod(shareProcessNamespace=True), "spec.shareProcessNamespace"),
        (pod(hostUsers=False), "spec.hostUsers"),
        (pod({"volumeDevices": [{"name": "d"}]}), "volumeDevices"),
        (pod({"volumeMounts": [{"name": "v", "mountPropagation": "Bidirectional"}]}), "mountPropagation"),
        (
            pod(securityContext={"sysctls": [{"name": "kernel.shmmax", "value": "1"}]}),
            'forbidden sysctl: "kernel.shmmax"',
        ),
        (
            pod(hostNetwork=True, securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}),
            "not allowed with host net enabled",
        ),
        (
            pod(hostIPC=True, securityContext={"sysctls": [{"name": "kernel/shm_rmid_forced", "value": "1"}]}),
            "not allowed with host ipc enabled",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(of: Obj, text: str) -> None:
    with pytest.raises(Denied, match=text):
        made(of, POOR)


def test_seccomp_is_the_default_unless_the_pod_wants_none() -> None:
    unconfined = {"seccompProfile": {"type": "Unconfined"}}
    assert "seccomp" not in made(context(**unconfined))["linux"]
    assert "seccomp" not in made(pod(securityContext=unconfined))["linux"]
    both = pod({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, securityContext=unconfined)
    assert "seccomp" in made(both)["linux"]
    assert "seccomp" not in made(pod(), Machine(seccomp=False))["linux"]


def names(profile: dict[str, Any]) -> set[str]:
    allowed = [c for c in profile["syscalls"] if c["action"] == "SCMP_ACT_ALLOW" and "args" not in c]
    return {name for call in allowed for name in call["names"]}


def test_the_default_profile_lets_through_what_capabilities_allow() -> None:
    plain, admin = seccomp.profile((), "x86_64"), seccomp.profile(("CAP_SYS_ADMIN",), "x86_64")
    assert {"read", "openat", "execve", "futex", "arch_prctl", "ptrace"} <= names(plain)
    assert not {"mount", "unshare", "clone", "keyctl", "add_key", "io_uring_setup", "reboot", "bpf"} & names(plain)
    assert {"mount", "clone", "clone3", "setns"} <= names(admin)
    assert {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38} in plain["syscalls"]
    masked = next(c["args"][0] for c in plain["syscalls"] if c["names"] == ["clone"])
    assert (masked["value"], masked["op"]) == (0x7E020000, "SCMP_CMP_MASKED_EQ")
    assert plain["architectures"][0] == "SCMP_ARCH_X86_64"
    assert len(seccomp.ALWAYS) == len(set(seccomp.ALWAYS))


def test_read_only_root_and_no_new_privileges() -> None:
    found = made(context(readOnlyRootFilesystem=True, allowPrivilegeEscalation=False, procMount="Unmasked"))
    assert found["root"]["readonly"] is True
    assert found["process"]["noNewPrivileges"] is True
    assert found["linux"]["maskedPaths"] == []


def limited(requests: Obj, limits: Obj) -> Obj:
    return pod({"resources": {"requests": requests, "limits": limits}})


def test_resources_are_the_kubelets_numbers() -> None:
    of = limited({"cpu": "250m"}, {"cpu": "1500m", "memory": "64Mi"})
    assert resources(role(of), RICH) == {
        "cpu": {"shares": 256, "quota": 150_000, "period": 100_000},
        "memory": {"limit": 64 << 20},
        "unified": {"memory.oom.group": "1"},
    }
    assert resources(role(pod()), POOR) == {"cpu": {"shares": 2}}
    assert resources(role(limited({}, {"cpu": "1m"})), POOR)["cpu"]["quota"] == 1000
    assert shares(None) == 2


@pytest.mark.parametrize(
    ("of", "kind", "score"),
    [
        (pod(), "BestEffort", 1000),
        (limited({}, {"cpu": "1", "memory": "1Gi"}), "Guaranteed", -997),
        (limited({"memory": "4Gi"}, {}), "Burstable", 500),
        (limited({"cpu": "1"}, {}), "Burstable", 999),
        (limited({"memory": "8Gi"}, {}), "Burstable", 3),
    ],
)
def test_who_is_killed_first_when_memory_runs_out(of: Obj, kind: str, score: int) -> None:
    assert (quality(of), oom_score(of, role(of), RICH)) == (kind, score)
    assert oom_score(of, role(of), POOR) == max(score, 0)  # lower than our own it cannot be


def test_exec_is_the_containers_process_with_another_command() -> None:
    found = inside(made(pod()), ["sh"], [("A", "new"), ("B", "x")], tty=True)
    assert found["args"] == ["sh"]
    assert found["terminal"] is True
    assert found["env"] == ["PATH=/bin", "A=new", "B=x", "TERM=xterm"]
    assert found["user"]["uid"] == 999


def test_who_must_not_be_root() -> None:
    of = pod({"securityContext": {"runAsNonRoot": True}})
    said = [root_refused(of, role(of), w, "p") for w in (Wish(), Wish("redis"), Wish("7"), Wish("redis", uid=0))]
    assert said[0] == 'container has runAsNonRoot and image will run as root (pod: "p", container: c)'
    assert "non-numeric user (redis), cannot verify" in said[1]
    assert said[2] == ""
    assert said[3].startswith("container's runAsUser breaks non-root policy")
    assert root_refused(pod(), role(pod()), Wish(), "p") == ""


def test_the_pods_wish_goes_before_the_images() -> None:
    of = pod(
        {"securityContext": {"runAsUser": 5}},
        securityContext={"runAsUser": 4, "runAsGroup": 6, "supplementalGroups": [7], "fsGroup": 8},
    )
    assert wish(of, role(of), "redis") == Wish("redis", 5, 6, (7, 8))
    strict = pod(securityContext={"supplementalGroupsPolicy": "Strict"})
    assert wish(strict, role(strict), "redis") == Wish("redis", strict=True)


def test_capabilities_are_read_by_number() -> None:
    assert held_capabilities(0b1000001) == ("CAP_CHOWN", "CAP_SETGID")
    assert len(CAPABILITIES) == 41
    here = look(1)
    assert here.memory_bytes > 1 << 20
    assert set(here.capabilities) <= set(CAPABILITIES)


@given(
    st.sets(st.sampled_from(CAPABILITIES)),
    st.lists(st.sampled_from([*CAPABILITIES, "ALL"])),
    st.lists(st.sampled_from([*CAPABILITIES, "ALL"])),
    st.booleans(),
)
def test_nobody_gets_what_we_do_not_have(held: set[str], add: list[str], drop: list[str], privileged: bool) -> None:
    machine = Machine(capabilities=tuple(c for c in CAPABILITIES if c in held))
    of = context(privileged=privileged, capabilities={"add": add, "drop": drop})
    try:
        given_ = set(rights(of, role(of), machine).capabilities)
    except Denied:
        assert (set(add) - {"ALL"}) - held
        return
    assert given_ <= held
    if not privileged:
        assert not given_ & (set(drop) - set(add) - {"ALL"})
