"""What a container may do: the securityContext of pod and container, as the runtime's process and linux sections.

In: the pod, the container, the machine. Out: `Rights`, or `Denied` which names the field that this machine or this
house cannot honour: nothing is silently left out. Defaults are containerd's.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from madang.node.pod.spec import Role
from madang.node.runtimes.oci import seccomp
from madang.node.runtimes.oci.machine import CAPABILITIES, Machine
from madang.node.runtimes.oci.users import Wish
from madang.ports.objects import Obj

DEFAULT_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    "CAP_AUDIT_WRITE",
)  # fmt: skip
MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
    "/sys/devices/virtual/powercap", "/sys/firmware",
)  # fmt: skip
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
# Those that a kubelet lets any pod set: each is of one namespace alone.
SAFE_SYSCTLS = (
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
)  # fmt: skip
# A pod has its addresses for itself: its programs need no root for a low port, nor for a ping.
OWN_NETWORK_SYSCTLS = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}


class Denied(ValueError):
    """Asked for, and not to be had: the text names the field, what it asks for, and why not."""


@dataclass(frozen=True, slots=True)
class Rights:
    capabilities: tuple[str, ...]
    privileged: bool
    no_new_privileges: bool
    read_only_root: bool
    masked: tuple[str, ...]
    read_only: tuple[str, ...]
    seccomp: dict[str, Any] | None
    sysctls: dict[str, str]


def rights(pod: Obj, role: Role, machine: Machine) -> Rights:
    """Raises Denied."""
    for why in refusals(pod, role):
        raise Denied(why)
    context = role.spec.get("securityContext") or {}
    privileged = bool(context.get("privileged"))
    capabilities = machine.capabilities if privileged else _capabilities(role, context, machine)
    bare = privileged or context.get("procMount") == "Unmasked"
    return Rights(
        capabilities=capabilities,
        privileged=privileged,
        no_new_privileges=context.get("allowPrivilegeEscalation") is False,
        read_only_root=bool(context.get("readOnlyRootFilesystem")),
        masked=() if bare else MASKED,
        read_only=() if bare else READ_ONLY,
        seccomp=None if privileged else _seccomp(pod, role, capabilities, machine),
        sysctls=_sysctls(pod),
    )


def wish(pod: Obj, role: Role, image_user: str) -> Wish:
    mine, whole = role.spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    groups = [*(whole.get("supplementalGroups") or ()), *([whole["fsGroup"]] if "fsGroup" in whole else ())]
    return Wish(
        image=image_user,
        uid=mine.get("runAsUser", whole.get("runAsUser")),
        gid=mine.get("runAsGroup", whole.get("runAsGroup")),
        groups=tuple(groups),
        strict=whole.get("supplementalGroupsPolicy") == "Strict",
    )


def refusals(pod: Obj, role: Role) -> Iterator[str]:
    """What nobody builds here yet, whatever the machine."""
    body = pod["spec"]
    for name in ("hostPID", "shareProcessNamespace"):
        if body.get(name):
            yield f"spec.{name}: a container's processes are its own here; leave the field out"
    if body.get("hostUsers") is False:
        yield "spec.hostUsers: user namespaces of pods aren't built yet; leave the field out"
    for path, context in (
        ("spec", body.get("securityContext") or {}),
        (role.field_path, role.spec.get("securityContext") or {}),
    ):
        for name in ("seccompProfile", "appArmorProfile"):
            if (context.get(name) or {}).get("type") == "Localhost":
                yield f"{path}.securityContext.{name}: profiles of the node aren't built yet; use RuntimeDefault"
    if role.spec.get("volumeDevices"):
        yield f"{role.field_path}.volumeDevices: block devices aren't built yet; use volumeMounts"
    for mount in role.spec.get("volumeMounts") or ():
        if mount.get("mountPropagation") not in (None, "", "None"):
            yield f"{role.field_path}.volumeMounts[{mount['name']}].mountPropagation: isn't built yet; leave it out"


def _capabilities(role: Role, context: Obj, machine: Machine) -> tuple[str, ...]:
    asked = context.get("capabilities") or {}
    added, dropped = _named(asked.get("add") or ()), _named(asked.get("drop") or ())
    path = f"{role.field_path}.securityContext.capabilities"
    for name in sorted({*added, *dropped} - {"ALL", *CAPABILITIES}):
        raise Denied(f"{path}: unknown capability {name}")
    wanted = set() if "ALL" in dropped else set(DEFAULT_CAPABILITIES)
    if "ALL" in added:
        wanted = set(machine.capabilities)
    wanted = (wanted - (dropped - {"ALL"})) | (added - {"ALL"})
    for name in sorted(added - {"ALL", *machine.capabilities}):
        raise Denied(f"{path}.add: {name} can't be given: madang does not have it on this machine")
    return tuple(name for name in CAPABILITIES if name in wanted and name in machine.capabilities)


def _named(names: Collection[str]) -> set[str]:
    upper = {name.upper() for name in names}
    return {name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in upper}


def _seccomp(pod: Obj, role: Role, capabilities: tuple[str, ...], machine: Machine) -> dict[str, Any] | None:
    """Unless the pod wants none. Without a word it gets the default: a cluster that is well kept does the same."""
    contexts = [role.spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}]
    kind = next((c["seccompProfile"].get("type") for c in contexts if c.get("seccompProfile")), "")
    if kind == "Unconfined":
        return None
    if not machine.seccomp:
        if kind:
            raise Denied(f"{role.field_path}.securityContext.seccompProfile: this kernel has no seccomp")
        return None
    return seccomp.profile(capabilities, machine.arch)


def _sysctls(pod: Obj) -> dict[str, str]:
    own_network = not pod["spec"].get("hostNetwork")
    found = dict(OWN_NETWORK_SYSCTLS) if own_network else {}
    if why := forbidden_sysctl(pod):
        raise Denied(f"spec.securityContext.sysctls: {why}")
    return found | {_dotted(entry): str(entry["value"]) for entry in _asked_sysctls(pod)}


def forbidden_sysctl(pod: Obj) -> str:
    """The first that no pod may set, or not one that shares the machine's namespaces, in the kubelet's words."""
    body = pod["spec"]
    for name in map(_dotted, _asked_sysctls(pod)):
        if name not in SAFE_SYSCTLS:
            return f'forbidden sysctl: "{name}" not allowlisted'
        if name.startswith("net.") and body.get("hostNetwork"):
            return f'forbidden sysctl: "{name}" not allowed with host net enabled'
        if name.startswith("kernel.") and body.get("hostIPC"):
            return f'forbidden sysctl: "{name}" not allowed with host ipc enabled'
    return ""


def _asked_sysctls(pod: Obj) -> Sequence[Obj]:
    return (pod["spec"].get("securityContext") or {}).get("sysctls") or ()


def _dotted(entry: Obj) -> str:
    return str(entry["name"]).replace("/", ".")


def root_refused(pod: Obj, role: Role, asked: Wish, whole_name: str) -> str:
    """Why a container that must not run as root would, in the kubelet's words; empty where it does not."""
    contexts = [role.spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}]
    if not next((c["runAsNonRoot"] for c in contexts if "runAsNonRoot" in c), False):
        return ""
    tail = f'(pod: "{whole_name}", container: {role.name})'
    first = asked.image.partition(":")[0]
    if asked.uid is not None:
        return f"container's runAsUser breaks non-root policy {tail}" if asked.uid == 0 else ""
    if first and not first.isdigit():
        why = f"image has non-numeric user ({first}), cannot verify user is non-root"
        return f"container has runAsNonRoot and {why} {tail}"
    return f"container has runAsNonRoot and image will run as root {tail}" if not first or int(first) == 0 else ""
