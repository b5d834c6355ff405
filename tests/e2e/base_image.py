"""A base image from Debian's packages, made once and kept between runs: no registry can be asked from everywhere.

In: nothing. Out: the path of a root file system as a tar, or a skip that names what is missing.
"""

import fcntl
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

MAKING_S = 240


def needs(*programs: str) -> None:
    """Skip where one of them is not installed."""
    if missing := [p for p in programs if shutil.which(p) is None]:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: apt-get install {' '.join(missing)})")


def debian(*packages: str) -> Path:
    """The smallest Debian, of this machine's release, with `packages` besides."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "madang-tests"
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    target = cache / f"{'-'.join(('debian', suite, *packages))}.tar"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            needs("mmdebstrap")
            wanted = [f"--include={','.join(packages)}"] if packages else []
            new = target.with_suffix(".new.tar")
            made = subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=minbase", *wanted, suite, new],
                capture_output=True,
                text=True,
                timeout=MAKING_S,
                check=False,
            )
            if made.returncode:
                pytest.skip(f"mmdebstrap could not make a base image: {made.stderr.strip().splitlines()[-1:]}")
            new.rename(target)
    return target
