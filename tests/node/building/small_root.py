"""A root file system small enough to make anew: a shell and a few programs of this machine, with their libraries."""

import os
import re
import shutil
import subprocess
from pathlib import Path

PROGRAMS = (
    "sh",
    "cat",
    "ls",
    "mkdir",
    "rm",
    "id",
    "env",
    "sleep",
    "touch",
    "ln",
    "mv",
    "chmod",
    "chown",
    "stat",
    "tar",
)
PASSWD = "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1001::/home/me:/bin/sh\n"
GROUP = "root:x:0:\nme:x:1001:\nfriends:x:7:me\n"


def make(root: Path) -> Path:
    for folder in ("bin", "etc", "tmp", "proc", "sys", "dev"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)
    for name in PROGRAMS:
        if found := shutil.which(name, path="/usr/bin:/bin"):
            program = Path(found).resolve()
            shutil.copy(program, root / "bin" / name)
            for library in libraries(program):
                target = root / library.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    shutil.copy(os.path.realpath(library), target)
    return root


def libraries(program: Path) -> list[str]:
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
    return list(re.findall(r"(/\S+) \(0x", said))
