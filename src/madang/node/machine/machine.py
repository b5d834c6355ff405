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
_MEMORY_LOW_BYTES = 100 * 1024 * 1024
_DISK_LOW = 0.05
_PIDS_LOW = 0.05


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


def pressure(home: Path) -> Pressure:
    """Cheap: three small reads."""
    disk = shutil.disk_usage(home)
    return Pressure(
        memory=psutil.virtual_memory().available < _MEMORY_LOW_BYTES,
        disk=disk.free < disk.total * _DISK_LOW,
        pids=_pids_used() > 1 - _PIDS_LOW,
    )


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
