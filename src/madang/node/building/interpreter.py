"""The Python of an image, found in its layers without starting anything.

In: an image. Out: where it lies, its version, and which C library it stands on: what an installer must know to choose
wheels for it. Raises `NoPython`.
"""

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from madang.node.images.build.settings import PATH
from madang.node.images.image import Image
from madang.node.runtimes.oci.layered import Layers

LIBRARIES = ("/lib/{0}-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/lib/libc.so.6")
RELEASE = re.compile(r"GNU C Library [^\n]{0,80}? version 2\.(\d+)")
GLIBC_BEFORE = 17  # the least that any wheel of today asks for: taken where a C library does not say its version


class NoPython(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Python:
    """`version` is "3.11"; `glibc` is 36 for 2.36, 0 for musl; `machine` as wheels spell it."""

    path: str
    version: str
    glibc: int
    machine: str

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, the best first."""
        if not self.glibc:
            return tuple(f"musllinux_1_{minor}_{self.machine}" for minor in (2, 1, 0))
        new = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 4, -1)]
        old = [f"{name}_{self.machine}" for name in ("manylinux2014", "manylinux2010", "manylinux1")]
        return (*new, *old, f"linux_{self.machine}")


def found(image: Image, ref: str) -> Python:
    layers = Layers(image.folders)
    path = dict(image.config.env).get("PATH") or PATH
    for folder in path.split(":"):
        at = layers.place(f"{folder}/python3")
        version = re.fullmatch(r"python(3\.\d+)", PurePosixPath(at).name)
        if version:
            machine = os.uname().machine
            return Python(f"{folder}/python3", version[1], _glibc(layers, machine), machine)
    raise NoPython(f'the image "{ref}" has no Python on its path; name one with --base')


def _glibc(layers: Layers, machine: str) -> int:
    if layers.place(f"/lib/ld-musl-{machine}.so.1"):
        return 0
    for pattern in LIBRARIES:
        said = RELEASE.search(layers.text(pattern.format(machine)))
        if said:
            return int(said[1])
    return GLIBC_BEFORE
