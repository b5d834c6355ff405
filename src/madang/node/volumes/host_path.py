"""hostPath: a place of this machine, checked or made as its type says.

In: the volume's source. Out: the path. What is not as it must be raises `Refused` in the kubelet's words.
"""

import stat
from pathlib import Path

from madang.node.volumes.content import Refused
from madang.ports.objects import Obj

# type -> (what it must be, how the kubelet names that)
_KINDS = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


def host_path(source: Obj) -> Path:
    path, kind = Path(source["path"]), source.get("type") or ""
    try:
        if kind == "DirectoryOrCreate":
            path.mkdir(parents=True, exist_ok=True)
            kind = "Directory"
        elif kind == "FileOrCreate":
            if not path.exists():
                path.touch(mode=0o644)
            kind = "File"
        elif kind == "" and not path.exists():
            path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise Refused(f"hostPath {path}: {e.strerror}") from e
    if kind in _KINDS:
        check, shown = _KINDS[kind]
        if not path.exists() or not check(path.stat().st_mode):
            raise Refused(f"hostPath type check failed: {path} is not {shown}")
    return path
