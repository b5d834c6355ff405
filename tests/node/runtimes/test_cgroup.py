"""Cgroups of both versions as values and on a make-believe /sys/fs/cgroup: where, which limits, what is counted."""

import os
from pathlib import Path

import pytest

from madang.node.runtimes import cgroup
from madang.node.runtimes.cgroup import Cgroups


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (tmp_path / "madang-abc").mkdir()
    for place in (tmp_path, tmp_path / "madang-abc"):
        (place / "cgroup.subtree_control").write_text("cpu memory\n")
    return tmp_path


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    (tmp_path / "cpu,cpuacct").mkdir()
    (tmp_path / "memory").mkdir()
    for name in ("cpu", "cpuacct"):
        (tmp_path / name).symlink_to("cpu,cpuacct")
    for name in ("memory", "cpu,cpuacct"):
        (tmp_path / name / "cgroup.procs").write_text("")
    return tmp_path


def test_version_2(v2: Path) -> None:
    groups = Cgroups("abc", v2)
    folder = f"{v2}/madang-abc/key"
    assert groups.version == 2
    assert groups.spec("key", 1500, 1 << 20) == {
        "folders": [folder],
        "files": {
            f"{folder}/memory.oom.group": "1",
            f"{folder}/memory.max": "1048576",
            f"{folder}/cpu.max": "150000 100000",
        },
        "memory": folder,
    }
    assert groups.spec("key", None, None) == {
        "folders": [folder],
        "files": {f"{folder}/memory.oom.group": "1"},
        "memory": "",
    }


def test_version_1(v1: Path) -> None:
    groups = Cgroups("abc", v1)
    memory, cpu = f"{v1}/memory/madang-abc/key", f"{v1}/cpu,cpuacct/madang-abc/key"
    assert groups.version == 1
    assert groups.spec("key", 5, 1 << 20) == {
        "folders": [memory, cpu],
        "files": {
            f"{memory}/memory.limit_in_bytes": "1048576",
            f"{cpu}/cpu.cfs_quota_us": "1000",
        },
        "memory": memory,
    }


def test_samples(tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    for name, text in (
        ("cgroup.events", "populated 1\n"),
        ("cgroup.procs", "7\n8\n"),
        ("cpu.stat", "usage_usec 1500\nuser_usec 1000\n"),
        ("memory.current", "5000\n"),
        ("memory.stat", "anon 1\ninactive_file 2000\n"),
    ):
        (new / name).write_text(text)
    found = cgroup.sample({"folders": [str(new)], "files": {}, "memory": ""})
    assert found is not None and (found.cpu_ns, found.memory_bytes, found.pids) == (1_500_000, 3000, (7, 8))
    assert cgroup.sample({"folders": [str(tmp_path / "gone")], "files": {}, "memory": ""}) is None


def test_samples_of_the_first_version(tmp_path: Path) -> None:
    """Memory and CPU time lie in folders of their own; what the kernel can take back any time does not count."""
    memory, accounts = tmp_path / "memory" / "c", tmp_path / "cpuacct" / "c"
    for path, text in (
        (memory / "memory.usage_in_bytes", "5000\n"),
        (memory / "memory.stat", "inactive_file 1\ntotal_inactive_file 2000\n"),
        (memory / "cgroup.procs", "7\n"),
        (accounts / "cpuacct.usage", "1500000\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = cgroup.sample({"folders": [str(memory), str(accounts)], "files": {}, "memory": ""})
    assert found is not None and (found.cpu_ns, found.memory_bytes, found.pids) == (1_500_000, 3000, (7,))


def test_why_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset pids\n")
    groups = Cgroups("abc", tmp_path)
    assert (groups.version, groups.why_not) == (0, f"{tmp_path}/cgroup.controllers: no controller cpu or memory")
    assert groups.spec("key", 1000, 1 << 20) is None


def test_sweeping_takes_what_is_empty_wherever_it_was_made(v1: Path) -> None:
    Cgroups("abc", v1)
    (v1 / "memory" / "session" / "madang-abc" / "old").mkdir(parents=True)
    (v1 / "memory" / "madang-other").mkdir()
    cgroup.sweep("abc", v1)
    left = sorted(str(path.relative_to(v1)) for path in v1.rglob("*") if path.is_dir() and not path.is_symlink())
    assert left == ["cpu,cpuacct", "memory", "memory/madang-other", "memory/session"]
    assert os.listdir(v1 / "cpu,cpuacct") == ["cgroup.procs"]
