"""What this machine lets us give to containers: facts that decide, read once.

In: /proc of this process. Out: `Machine`, a value that `spec` takes; tests write their own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from madang.porch import standing

# In the order of the kernel's numbers (include/uapi/linux/capability.h).
CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Machine:
    """`capabilities` are ours: nobody can give what he does not have. `oom_score_least`: no process of ours may have
    a lower score (only CAP_SYS_RESOURCE lowers one). `memory_bytes` is the whole machine's."""

    arch: str = "x86_64"
    cgroup: int = 2
    capabilities: tuple[str, ...] = CAPABILITIES
    seccomp: bool = True
    oom_score_least: int = -1000
    memory_bytes: int = 1 << 33


def look(cgroup: int) -> Machine:
    status = _fields(Path("/proc/self/status"))
    held = held_capabilities(int(status.get("CapEff", "0"), 16))
    own = int(Path("/proc/self/oom_score_adj").read_text())
    return Machine(
        arch=os.uname().machine,
        cgroup=cgroup,
        capabilities=held,
        seccomp="Seccomp" in status,
        oom_score_least=-1000 if "CAP_SYS_RESOURCE" in held and not standing.inside() else own,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )


def held_capabilities(bits: int) -> tuple[str, ...]:
    return tuple(name for number, name in enumerate(CAPABILITIES) if bits >> number & 1)


def _fields(path: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in path.read_text().splitlines())
    return {name: value.strip() for name, _, value in pairs}
