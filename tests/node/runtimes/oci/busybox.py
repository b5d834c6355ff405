"""A layer to run containers from: Debian's static busybox, found on this machine or fetched once by apt."""

import os
import shutil
import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path

PROGRAMS = (
    "cat", "chmod", "echo", "env", "false", "hostname", "httpd", "id", "kill", "ls", "mkdir", "mount", "nc", "ps",
    "sh", "sleep", "stty", "test", "touch", "trap", "true", "tty", "umount", "unshare", "wget", "dd", "tail",
)  # fmt: skip
PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/var/www:/bin/sh\n"
GROUP = "root:x:0:\nweb:x:44:\nssl:x:55:web\n"


@cache
def static() -> Path | None:
    """None where there is none to be had."""
    for found in (shutil.which("busybox"), shutil.which("busybox-static")):
        if found and not _dynamic(Path(found)):
            return Path(found)
    kept = Path(tempfile.gettempdir()) / f"madang-tests-busybox-{os.getuid()}" / "busybox"
    if not kept.exists():
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        _fetch(kept)
    return kept if kept.exists() else None


def _dynamic(path: Path) -> bool:
    """Whether it names a loader (PT_INTERP, 3) among its segments, as ELF has them in 64 bits."""
    body = path.read_bytes()
    first, (size, count) = struct.unpack_from("<Q", body, 32)[0], struct.unpack_from("<HH", body, 54)
    return any(struct.unpack_from("<I", body, first + i * size) == (3,) for i in range(count))


def _fetch(kept: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        try:
            for line in (
                ["apt-get", "download", "-q", "busybox-static"],
                ["sh", "-c", "dpkg -x busybox-static*.deb x"],
            ):
                subprocess.run(line, shell=True, cwd=folder, check=True, capture_output=True, timeout=60)
        except (subprocess.SubprocessError, OSError):
            return
        (Path(folder) / "x" / "bin" / "busybox").rename(kept)


def layer(folder: Path, program: Path) -> Path:
    """A small system."""
    for name in ("bin", "etc", "tmp", "var/www", "proc", "dev", "sys"):
        (folder / name).mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    shutil.copy(program, folder / "bin" / "busybox")
    for name in PROGRAMS:
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "etc" / "passwd").write_text(PASSWD)
    (folder / "etc" / "group").write_text(GROUP)
    return folder
