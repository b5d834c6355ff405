"""Which OCI runtime works here: found by really running a container, from a root of its own to its exit code.

In: programs by name, what stands around monitors. Out: why it is hopeless, or launches to try. The container runs this
machine's own `true`, on a root that is an overlay of two empty folders, with the machine's programs mounted into it.
"""

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from madang.node.runtimes.cgroup import Cgroups
from madang.node.runtimes.monitor.request import Confinement
from madang.node.runtimes.monitor.runc import ROOT
from madang.node.runtimes.oci.mounts import mounts
from madang.node.runtimes.runtime import Container, Launch, Mount
from madang.porch import standing

# crun starts faster; it refuses some machines that runc takes.
CANDIDATES = ("crun", "runc")
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin")  # where an ordinary PATH does not look
_SYSTEM = ("/bin", "/lib", "/lib32", "/lib64", "/usr", "/nix/store", "/gnu/store")


class Candidates:
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def hopeless(self, walls: Confinement, cgroups: Cgroups | None) -> str:
        """Why nothing need be tried."""
        if os.geteuid() != 0:
            return "containers need root here, or a user namespace"
        if standing.inside() and not lent():
            return "containers need the ids of /etc/subuid and /etc/subgid, and newuidmap (Debian: uidmap)"
        if not self.found():
            return f"none of {', '.join(self._names)} is installed"
        if not (walls["mounts"] and walls["pids"]):
            return "this machine allows no private mounts or PID namespaces"
        if (cgroups is None or not cgroups.version) and not standing.inside():
            return f"no cgroups: {cgroups.why_not if cgroups else 'switched off'}"
        return ""

    def found(self) -> list[str]:
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_PLACES])
        return [file for name in self._names if (file := shutil.which(name, path=path))]


def installed() -> bool:
    """Whether trying is worth it, for who cannot wait for the answer."""
    return standing.user() == 0 and bool(Candidates(CANDIDATES).found())


class Verdict:
    """What worked the last time, kept in a file: as long as the machine has not been started anew and the programs are
    the same, it still does."""

    def __init__(self, home: Path | None, found: Sequence[str]) -> None:
        self._file = None if home is None else home / "container-runtime.json"
        self._about = {
            "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            "programs": {file: os.stat(file).st_mtime_ns for file in found},
        }

    def read(self) -> str:
        """The program; empty where nothing is known."""
        try:
            kept = json.loads(self._file.read_bytes()) if self._file is not None else {}
        except (OSError, ValueError):
            return ""
        same = isinstance(kept, dict) and all(kept.get(k) == v for k, v in self._about.items())
        return str(kept.get("works", "")) if same else ""

    def write(self, program: str) -> None:
        if self._file is not None:
            aside = self._file.with_name(f".{self._file.name}.new")
            aside.write_text(json.dumps({**self._about, "works": program}))
            aside.replace(self._file)


def lent(text: str | None = None) -> bool:
    """Whether our user namespace has more ids than the user's own; `text` is a map, ours by default."""
    rows = (Path("/proc/self/uid_map").read_text() if text is None else text).splitlines()
    return sum(int(row.split()[2]) for row in rows) > 1


@contextmanager
def trial(home: Path | None = None) -> Iterator[Launch]:
    """A launch, whose folder goes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="madang-probe-", dir=home))
    try:
        shown = [Mount(Path(place), place, read_only=True) for place in _SYSTEM if os.path.isdir(place)]
        true = shutil.which("true") or "/bin/true"
        yield Launch(
            id=f"probe-{uuid.uuid4().hex[:12]}",
            folder=folder,
            argv=[true],
            env={},
            cwd="/",
            log=folder / "log",
            container=Container((), config(true, shown)),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def config(program: str, shown: Sequence[Mount]) -> dict[str, Any]:
    return {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "args": [program], "cwd": "/", "env": []},
        "root": {"path": ROOT},
        "mounts": mounts(shown, privileged=False),
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "uts", "ipc")]},
    }
