"""A step's program as an OCI runtime takes it. Pure.

In: an `Order`, the root, what the machine allows. Out: the text of `config.json`. Capabilities and system calls are
those that docker gives to a build's containers; the network is the machine's own, or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.node.building.runner import Bind, Order
from madang.node.images.build.settings import PATH
from madang.node.runtimes.oci.machine import Machine
from madang.node.runtimes.oci.seccomp import profile

CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    "CAP_AUDIT_WRITE",
)  # fmt: skip
MASKED = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug",
          "/proc/scsi", "/sys/firmware")  # fmt: skip
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
QUIET = ("nosuid", "noexec", "nodev")


@dataclass(frozen=True, slots=True)
class Stand:
    """`apart`: root among its own ids alone. `terminals`: whether the group of terminals is one of them."""

    apart: bool = False
    terminals: bool = True


def config(
    order: Order, root: Path, machine: Machine, stand: Stand = Stand(), hostname: str = "buildkitsandbox"
) -> dict[str, Any]:
    held = [c for c in CAPABILITIES if c in machine.capabilities]
    effective = held if order.who.uid == 0 else []
    env = dict(order.env)
    env = {"PATH": PATH, **env} if "PATH" not in env else env
    kinds = ["pid", "ipc", "uts", "mount", *([] if order.network else ["network"])]
    linux: dict[str, Any] = {
        "namespaces": [{"type": kind} for kind in kinds],
        "maskedPaths": list(MASKED),
        "readonlyPaths": list(READ_ONLY),
    }
    if machine.seccomp:
        linux["seccomp"] = profile(held, machine.arch)
    return {
        "ociVersion": "1.0.2",
        "hostname": hostname,
        "root": {"path": str(root), "readonly": False},
        "process": {
            "terminal": False,
            "user": {"uid": order.who.uid, "gid": order.who.gid, "additionalGids": list(order.who.groups)},
            "args": list(order.argv),
            "env": [f"{name}={value}" for name, value in env.items()],
            "cwd": order.workdir or "/",
            "capabilities": {
                "bounding": held, "permitted": effective, "effective": effective, "inheritable": [], "ambient": [],
            },
            "noNewPrivileges": False,
        },
        "mounts": mounts(order.binds, stand, order.network),
        "linux": linux,
    }  # fmt: skip


def mounts(binds: Sequence[Bind], stand: Stand = Stand(), network: bool = True) -> list[dict[str, Any]]:
    """The kernel's own file systems, then what the step asks for, outer places first. Who is apart may show the /sys of
    a network that is not his, but make none of it."""
    terminals = ("gid=5",) if stand.terminals else ()
    borrowed = mount("/sys", "bind", ("rbind", *QUIET, "ro"), "/sys")
    own = [
        mount("/proc", "proc", QUIET),
        mount("/dev", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k")),
        mount("/dev/pts", "devpts", ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", *terminals)),
        mount("/dev/shm", "tmpfs", (*QUIET, "mode=1777", "size=65536k"), "shm"),
        mount("/dev/mqueue", "mqueue", QUIET),
        borrowed if stand.apart and network else mount("/sys", "sysfs", (*QUIET, "ro")),
    ]
    taken = {bind.target for bind in binds}
    kept = [one for one in own if one["destination"] not in taken]
    return kept + [asked(bind) for bind in sorted(binds, key=lambda b: (b.target.count("/"), b.target))]


def asked(bind: Bind) -> dict[str, Any]:
    if bind.source is None:
        size = (f"size={bind.size_bytes}",) if bind.size_bytes else ()
        return mount(bind.target, "tmpfs", ("nosuid", "nodev", "mode=1777", *size))
    return mount(bind.target, "bind", ("rbind", "rprivate", "ro" if bind.readonly else "rw"), str(bind.source))


def mount(target: str, kind: str, options: Sequence[str], source: str = "") -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": source or kind, "options": list(options)}
