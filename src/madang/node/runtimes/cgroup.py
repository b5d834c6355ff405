"""Where this machine lets us limit and count: the courtyard's cgroups, of version 2 or 1, if it may make any.

In: the courtyard's id, a container's limits. Out: a `CgroupSpec` for its monitor, samples, and the reason why
there are none. Version 1 (and hybrid machines) first looks below our own groups; version 2 needs the root's.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from madang.node.runtimes.monitor.request import CgroupSpec
from madang.node.runtimes.runtime import Sample

ROOT = Path("/sys/fs/cgroup")
CPU_PERIOD_US = 100_000
V1 = ("memory", "cpu", "cpuacct")


class Cgroups:
    """`version` is 2, 1, or 0 where none can be made (`why_not`)."""

    def __init__(self, courtyard: str, root: Path = ROOT) -> None:
        self._name = f"madang-{courtyard}"
        self._root = root
        self._parents: dict[str, str] = {}
        self.version, self.why_not = 0, ""
        try:
            self._find(root)
        except OSError as error:
            self._parents, self.version = {}, 0
            self.why_not = f"{error.filename or root}: {error.strerror or error}"

    def _find(self, root: Path) -> None:
        controllers = root / "cgroup.controllers"
        if controllers.exists():
            self._find_v2(root, controllers.read_text().split())
        else:
            self._find_v1(root)

    def _find_v2(self, root: Path, available: Sequence[str]) -> None:
        missing = {"memory", "cpu"} - set(available)
        if missing:
            raise OSError(95, f"no controller {' or '.join(sorted(missing))}", str(root / "cgroup.controllers"))
        folder = root / self._name
        for place in (root, folder):
            place.mkdir(exist_ok=True)
            enabled = set((place / "cgroup.subtree_control").read_text().split())
            if not {"memory", "cpu"} <= enabled:
                (place / "cgroup.subtree_control").write_text("+memory +cpu")
        self._parents, self.version = {"": str(folder)}, 2

    def _find_v1(self, root: Path) -> None:
        for name in V1:
            if not (root / name / "cgroup.procs").exists():
                raise OSError(2, "no such controller is mounted", str(root / name))
            folder = _own(root / name, name) / self._name
            folder.mkdir(exist_ok=True)
            self._parents[name] = os.path.realpath(folder)  # cpu and cpuacct are often one
        self.version = 1

    def path(self, key: str) -> str:
        """One container's groups as an OCI runtime is told: below ours in version 1, from the top in version 2."""
        return f"{self._name}/{key}" if self.version == 1 else f"/{self._name}/{key}"

    def tree(self, key: str) -> CgroupSpec:
        """All the groups that an OCI runtime makes for that path, in every hierarchy; those that are counted first."""
        if self.version == 2:
            folder = f"{self._parents['']}/{key}"
            return {"folders": [folder], "files": {}, "memory": folder}
        found = {name: f"{_own(self._root / name, name)}/{self._name}/{key}" for name in _hierarchies(self._root)}
        counted = {part: found[name] for part in ("memory", "cpuacct") for name in found if part in name.split(",")}
        folders = list(dict.fromkeys([*counted.values(), *found.values()]))
        return {"folders": folders, "files": {}, "memory": counted.get("memory", "")}

    def spec(self, key: str, cpu_millis: int | None, memory_bytes: int | None) -> CgroupSpec | None:
        """The groups of one container; `key` is a name that no other start has."""
        if self.version == 2:
            folder = f"{self._parents['']}/{key}"
            files = {f"{folder}/memory.oom.group": "1"}
            if memory_bytes:
                files[f"{folder}/memory.max"] = str(memory_bytes)
            if cpu_millis:
                files[f"{folder}/cpu.max"] = f"{quota_us(cpu_millis)} {CPU_PERIOD_US}"
            return {"folders": [folder], "files": files, "memory": folder if memory_bytes else ""}
        if self.version == 1:
            wanted = ["memory", "cpuacct", *(["cpu"] if cpu_millis else [])]
            folders = {name: f"{self._parents[name]}/{key}" for name in wanted}
            files = {}
            if memory_bytes:
                files[f"{folders['memory']}/memory.limit_in_bytes"] = str(memory_bytes)
            if cpu_millis:
                files[f"{folders['cpu']}/cpu.cfs_quota_us"] = str(quota_us(cpu_millis))
            return {
                "folders": list(dict.fromkeys(folders.values())),
                "files": files,
                "memory": folders["memory"] if memory_bytes else "",
            }
        return None


def unheld(groups: Cgroups | None, cpu_millis: int | None) -> str:
    """Which limit cannot hold, and why; empty where all do (memory is watched by the monitor)."""
    if cpu_millis is None or groups is None or groups.version:
        return ""
    return f"limits.cpu {cpu_millis}m cannot hold: no cgroup can be made here ({groups.why_not})"


def _own(hierarchy: Path, name: str) -> Path:
    """Our own group in a hierarchy of version 1 (or in the unified one beside them)."""
    known = {"systemd": {"name=systemd"}, "unified": {""}}.get(name, set(name.split(",")))
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if known & set(names.split(",")):
            base = hierarchy / path.lstrip("/")
            return base if base.is_dir() else hierarchy
    return hierarchy


def _hierarchies(root: Path) -> list[str]:
    """The names of what is mounted below `root`; another name of the same (a link) does not count."""
    return sorted(p.name for p in root.iterdir() if not p.is_symlink() and (p / "cgroup.procs").exists())


def sweep(courtyard: str, root: Path = ROOT) -> None:
    """Remove what is empty: groups of containers that are over, then the courtyard's own. Version 1 groups lie below
    those of whoever made them: all are looked through."""
    own = f"madang-{courtyard}"
    new = (root / "cgroup.controllers").exists()
    for base in [root / own] if new else [root / name for name in _hierarchies(root)]:
        for folder, below, _ in os.walk(base):
            if os.path.basename(folder) == own:
                remove([*(os.path.join(folder, name) for name in below), folder])
                below.clear()


def remove(folders: Sequence[str]) -> None:
    """Only empty ones go."""
    for folder in folders:
        with suppress(OSError):
            os.rmdir(folder)


def quota_us(cpu_millis: int) -> int:
    return max(1000, cpu_millis * CPU_PERIOD_US // 1000)  # the kernel takes no less than a millisecond


def sample(spec: CgroupSpec) -> Sample | None:
    """Counters of a running container; None once its groups are gone."""
    try:
        return _sample_v2(spec["folders"][0]) if _is_v2(spec["folders"][0]) else _sample_v1(spec["folders"])
    except OSError:
        return None


def _is_v2(folder: str) -> bool:
    return os.path.exists(f"{folder}/cpu.stat") and os.path.exists(f"{folder}/cgroup.events")


def _sample_v2(folder: str) -> Sample:
    cpu_ns = int(_field(f"{folder}/cpu.stat", "usage_usec")) * 1000
    memory = int(_read(f"{folder}/memory.current")) - int(_field(f"{folder}/memory.stat", "inactive_file"))
    return Sample(cpu_ns, max(memory, 0), _pids(folder))


def _sample_v1(folders: Sequence[str]) -> Sample:
    memory, accounts = folders[0], folders[1] if len(folders) > 1 else folders[0]
    used = int(_read(f"{memory}/memory.usage_in_bytes")) - int(_field(f"{memory}/memory.stat", "total_inactive_file"))
    return Sample(int(_read(f"{accounts}/cpuacct.usage")), max(used, 0), _pids(memory))


def _pids(folder: str) -> tuple[int, ...]:
    return tuple(int(line) for line in _read(f"{folder}/cgroup.procs").split())


def _read(path: str) -> str:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 1 << 16).decode()
    finally:
        os.close(fd)


def _field(path: str, name: str) -> str:
    for line in _read(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return value
    return "0"
