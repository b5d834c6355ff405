"""What a monitor leaves behind in the start's folder: `running.json` and `exit.json`.

Written by write-and-rename, so that a reader sees a whole record or none. Each carries a format version, since a
newer `madang` adopts the monitors of an older one. In: plain dicts. Out: plain dicts, None where there is none.
"""

import json
import os
from typing import Any

FORMAT = 1
RUNNING, EXIT = "running.json", "exit.json"
AGAIN = "again"  # a file beside them: the next start goes on with what this one wrote


RESERVED_BYTES = 4096


class Newer(ValueError):
    """Written by a newer madang: what it says cannot be relied on."""


def partial(name: str) -> str:
    return f".{name}.new"


def reserve(folder_fd: int, name: str) -> None:
    """Room for a record that is written later, when the disk may be full: how a container ended must be told."""
    fd = os.open(partial(name), os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=folder_fd)
    try:
        os.posix_fallocate(fd, 0, RESERVED_BYTES)
    finally:
        os.close(fd)


def write(folder_fd: int, name: str, record: dict[str, Any]) -> None:
    """Atomic for readers; into the room that was reserved, if any. Not fsynced: a machine that loses power loses its
    processes with it."""
    fd = os.open(partial(name), os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=folder_fd)
    try:
        data = json.dumps({"format": FORMAT, **record}).encode()
        if os.write(fd, data) < len(data):  # half a record is none
            raise OSError(28, "no space left for a record", name)
        os.ftruncate(fd, len(data))
    finally:
        os.close(fd)
    os.rename(partial(name), name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)


def read(folder: str | os.PathLike[str], name: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            record: dict[str, Any] = json.loads(file.read())
    except FileNotFoundError:
        return None
    if record.get("format", 0) > FORMAT:
        raise Newer(
            f"{os.path.join(folder, name)} was written by a newer madang (format {record['format']}, "
            f"this one knows {FORMAT}): start that madang, or stop its containers first"
        )
    return record


def ticks(pid: int | str, proc_fd: int | None = None) -> int | None:
    """When a process started, in clock ticks since boot (field 22 of its stat): with the pid, its name for ever.
    None: there is no such process, or only its zombie. `proc_fd` is another procfs than this one at /proc."""
    try:
        path = f"{pid}/stat" if proc_fd is not None else f"/proc/{pid}/stat"
        fd = os.open(path, os.O_RDONLY, dir_fd=proc_fd)
    except OSError:
        return None
    try:
        fields = os.read(fd, 4096).rpartition(b")")[2].split()
    except OSError:
        return None
    finally:
        os.close(fd)
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def parent(pid: str, proc_fd: int) -> str:
    """The pid of its parent, as that procfs knows it."""
    fd = os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=proc_fd)
    try:
        return os.read(fd, 4096).rpartition(b")")[2].split()[1].decode()
    finally:
        os.close(fd)


def alive(pid: int, started_ticks: int) -> bool:
    return ticks(pid) == started_ticks
