"""What this machine is and has, as a node reports it.

In: /proc and os. Out: a `Machine`. `share` is what one of N nodes on it has to give.
"""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
PODS = 110
MEMORY_LOW_BYTES = 100 << 20  # a kubelet's own, as the parts below
_DISK_LOW, _INODES_LOW, _PIDS_LOW = 0.10, 0.05, 0.05
# A kubelet's machine is its own; a person's is often nearly full of other things, with much room left all the same.
_DISK_LOW_MOST_BYTES = 1 << 30
_INODES_LOW_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Machine:
    cpu_millis: int
    memory_bytes: int
    disk_bytes: int
    hostname: str
    architecture: str
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Pressure:
    """What runs low."""

    memory: bool = False
    disk: bool = False
    pids: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the machine and of the file system that the courtyard lies on. `inodes_total` 0: it does not count them."""

    memory_available: int
    disk_available: int
    disk_total: int
    inodes_available: int
    inodes_total: int
    pids_used: float


def machine(home: Path) -> Machine:
    there = next((p for p in (home, *home.parents) if p.exists()), Path("/"))
    return Machine(
        cpu_millis=len(os.sched_getaffinity(0)) * 1000 if hasattr(os, "sched_getaffinity") else _cpus() * 1000,
        memory_bytes=psutil.virtual_memory().total,
        disk_bytes=shutil.disk_usage(there).total,
        hostname=platform.node(),
        architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        kernel=platform.release(),
        os_image=_os_image(),
        machine_id=_read("/etc/machine-id"),
        boot_id=_read("/proc/sys/kernel/random/boot_id"),
    )


def figures(home: Path) -> Figures:
    """Cheap: three small reads."""
    disk = os.statvfs(home)
    return Figures(
        memory_available=psutil.virtual_memory().available,
        disk_available=disk.f_bavail * disk.f_frsize,
        disk_total=disk.f_blocks * disk.f_frsize,
        inodes_available=disk.f_favail,
        inodes_total=disk.f_files,
        pids_used=_pids_used(),
    )


def low(found: Figures) -> Pressure:
    inodes = min(int(found.inodes_total * _INODES_LOW), _INODES_LOW_MOST)
    return Pressure(
        memory=found.memory_available < MEMORY_LOW_BYTES,
        disk=found.disk_available < disk_threshold_bytes(found.disk_total) or found.inodes_available < inodes,
        pids=found.pids_used > 1 - _PIDS_LOW,
    )


def disk_threshold_bytes(total: int) -> int:
    return min(int(total * _DISK_LOW), _DISK_LOW_MOST_BYTES)


def _pids_used() -> float:
    """The part of the machine's thread numbers that is taken."""
    most, load = _read("/proc/sys/kernel/threads-max"), _read("/proc/loadavg").split()
    if not most or len(load) < 4:
        return 0.0
    return int(load[3].partition("/")[2] or 0) / int(most)


def _cpus() -> int:
    return os.cpu_count() or 1


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
