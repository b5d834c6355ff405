"""What a container may take and whether it took too much: its cgroup, or its memory watched where there is none.

In: a `CgroupSpec` whose paths the control process has chosen (versions 1 and 2 look the same from here: folders,
limit files). Out: descriptors to join by, the count of out-of-memory kills, the memory of a set of processes.
"""

import os
import signal
import time
from collections.abc import Iterable, Sequence

from madang.node.runtimes.monitor.request import CgroupSpec

PAGE = os.sysconf("SC_PAGE_SIZE")


class Held:
    """The cgroups of one container, by descriptors: their names in `parents`, and the counters of memory (-1: none)."""

    def __init__(self, names: Sequence[str], parents: Sequence[int], events: int) -> None:
        self.names, self.parents, self.events = tuple(names), tuple(parents), events

    def oom_kills(self) -> int:
        if self.events < 0:
            return 0
        text = os.pread(self.events, 4096, 0).decode()
        counts = dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
        return int(counts.get("oom_kill", 0))

    def remove(self) -> None:
        """Only an empty one goes; what stays is swept with its courtyard."""
        for name, parent in zip(self.names, self.parents):
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError:
                continue


NONE = Held((), (), -1)


class Cgroup(Held):
    """The folders of one container, opened before the mount namespace can hide them."""

    def __init__(self, spec: CgroupSpec) -> None:
        folders = spec["folders"]
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
        for path, value in spec["files"].items():
            _write(path, value)
        self._joins = [os.open(f"{folder}/cgroup.procs", os.O_WRONLY) for folder in folders]
        parents = [os.open(os.path.dirname(f), os.O_RDONLY | os.O_DIRECTORY) for f in folders]
        events = _open_events(spec["memory"]) if spec["memory"] else -1
        super().__init__([os.path.basename(f) for f in folders], parents, events)

    def join(self) -> None:
        """The calling process goes in ("0" means: me, in whatever PID namespace)."""
        for fd in self._joins:
            os.write(fd, b"0")


def _write(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, value.encode())
    except OSError as error:
        raise OSError(error.errno, f"{os.strerror(error.errno or 0)} (writing {value})", path) from None
    finally:
        os.close(fd)


def _open_events(folder: str) -> int:
    for name in ("memory.events", "memory.oom_control"):  # version 2, version 1
        try:
            return os.open(f"{folder}/{name}", os.O_RDONLY)
        except FileNotFoundError:
            continue
    return -1


def stat_fields(pid: int | str) -> list[bytes] | None:
    """/proc/PID/stat from field 3 (state) on."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(fd, 4096).rpartition(b")")[2].split()
    except OSError:
        return None
    finally:
        os.close(fd)


def descendants(root: int) -> list[int]:
    """All living processes below `root`, by one walk over /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := stat_fields(name)) is not None:
            children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def end_all(pids: Iterable[int]) -> bool:
    """SIGKILL to each. False: none is left that takes it, since what is left has become somebody else."""
    found = list(pids)
    refused = 0
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        except PermissionError:
            refused += 1
    return not found or refused < len(found)


class Watch:
    """The memory of all processes of a container, looked at often. In a PID namespace they are what its /proc shows;
    elsewhere they are looked for in the machine's, which is dear: only now and then."""

    WALK_EVERY_S = 5.0

    def __init__(self, own_proc: bool) -> None:
        self._own_proc = own_proc
        self._known: list[int] = []
        self._walked_at = 0.0

    def bytes(self) -> int:
        if self._own_proc:
            self._known = [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]
        elif (now := time.monotonic()) - self._walked_at >= self.WALK_EVERY_S:
            self._known, self._walked_at = descendants(os.getpid()), now
        return memory_bytes(self._known)


def memory_bytes(pids: Iterable[int]) -> int:
    total = 0
    for pid in pids:
        if (fields := stat_fields(pid)) is not None:
            total += int(fields[21]) * PAGE
    return total
