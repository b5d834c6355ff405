"""The server of this machine that stands for an image, as a program with data of its own.

In: an image's name. Out: the server found on PATH as a `Program`, if its major version is the one asked for; else
`NoProgram`, whose message names the ways out. `prepare` makes its folders before anything starts.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from madang.app.images import surroundings, table
from madang.app.images.table import Server, server_of, split
from madang.ports.program import HOST, Program
from madang.ports.settings import DOMAIN


class NoProgram(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Found:
    """`tools` are files to make beside it, by path. `owner` is who will write the data, where it is not us."""

    program: Program
    server: Server
    data: Path
    warning: str = ""
    tools: Mapping[Path, str] = field(default_factory=dict)
    owner: tuple[int, int] | None = None


def find(image: str, allow_other_versions: bool, data: Path, owner: str = "", tools: Path | None = None) -> Found:
    """`owner` names the service in the reference: each has data, and so a program, of its own. `tools` is a folder for
    what the server needs beside it."""
    row = server_of(image)
    if row is None:
        known = ", ".join(r.image for r in table.TABLE)
        raise NoProgram(
            f'"{image}" cannot run here: the image is not here, and no program of this machine is known for it '
            f"(known: {known}). `madang image pull {image}` brings it, `madang image load FILE` takes what "
            "`docker save` wrote, `madang build DIR -t REF` makes one of a Dockerfile; or give the service a build: "
            f"folder, use the image {HOST} with a command of this machine, or leave the service out by a profile"
        )
    wanted = re.match(r"v?(\d+)", split(image)[1])
    have = installed(row)
    if not have:
        raise NoProgram(
            f'"{image}" needs {row.program}, and it is neither on PATH nor in another usual folder: '
            f"install it (Debian, Ubuntu: apt-get install {row.install}), or give the service a build: folder"
        )
    exact = [h for h in have if wanted is None or h[1].split(".")[0] == wanted[1]]
    path, version = (exact or have)[0]
    warning = ""
    if not exact and wanted is not None:
        if not allow_other_versions:
            there = ", ".join(v for _, v in have)
            raise NoProgram(
                f'"{image}" asks for version {wanted[1]}; this machine has {row.program} {there}: install that '
                "version, ask for this one, or allow it with --allow-other-versions"
            )
        warning = f"asks for version {wanted[1]}; {row.program} {version} of this machine runs instead"
    beside = tools or data / "tools"
    made = program(row, path, f"{DOMAIN}/image/{owner}{row.image}:{version}", image, data, beside)
    return Found(made, row, data, warning, surroundings.tools(row, path, beside))


def program(row: Server, path: str, reference: str, image: str, data: Path, tools: Path) -> Program:
    place = row.data[0] if row.data else ""
    env = {"MADANG_SERVER": path, **({"MADANG_DATA": str(data), "MADANG_PLACE": place} if place else {})}
    asked = [one for one in row.plugins if one[0] in split(image)[1]]
    if asked:
        env["MADANG_PLUGINS"] = ",".join(plugin for _, plugin, _ in asked)
    return Program(
        reference=reference,
        root=data if place else tools,
        entrypoint=surroundings.entrypoint(row),
        env={**env, **surroundings.environment(row, path)},
        user=(row.user if exists(row.user) else "nobody") if os.geteuid() == 0 and row.user else "",
        path=(*((str(tools / "bin"),) if surroundings.has_tools(row) else ()), str(Path(path).parent)),
        ports=(*row.ports, *(port for _, _, port in asked)),
        stop_signal=row.stop_signal,
        mounts=((str(data), place),) if place else surroundings.mounts(row, tools),
    )


def exists(user: str) -> bool:
    try:
        return bool(user and pwd.getpwnam(user))
    except KeyError:
        return False


def installed(row: Server) -> list[tuple[str, str]]:
    """(path, version) of every copy found, PATH first."""
    places = [shutil.which(row.program)] if row.ask else []
    for pattern in row.folders:
        top, _, rest = pattern.partition("*")
        above = Path(top if top.endswith("/") else os.path.dirname(top))
        begin = "" if top.endswith("/") else os.path.basename(top)
        folders = sorted(above.glob(f"{begin}*{rest}"), reverse=True) if "*" in pattern else [Path(pattern)]
        places += [str(f / row.program) for f in folders if os.access(f / row.program, os.X_OK)]
    out: dict[str, tuple[str, str]] = {}
    for place in places:
        if place and (version := version_of(place, row.ask)):
            out.setdefault(os.path.realpath(place), (place, version))  # some programs are what they are called
    return list(out.values())


@cache
def version_of(path: str, ask: Sequence[str]) -> str:
    """Empty where it cannot be run."""
    if not ask:
        return version_beside(path)
    try:
        told = subprocess.run([path, *ask], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    matched = re.search(r"(?:v=|nginx/|\) |^)(\d+(?:\.\d+)*)", told.stdout + told.stderr, re.MULTILINE)
    return matched[1] if matched and told.returncode == 0 else ""


def version_beside(path: str) -> str:
    """A folder near it carries its version; the server itself would boot a whole machine only to tell."""
    near = os.path.realpath(path)
    for folder in (Path(near).parent.parent, *sorted(Path(near).parent.parent.glob("lib/*_server-*"), reverse=True)):
        if matched := re.search(r"_server-(\d[\w.]*)$", folder.name):
            return matched[1]
    return ""


def prepare(found: Found) -> None:
    """What the server needs beside it is there, and its data folder belongs to who will run it."""
    for path, text in found.tools.items():
        surroundings.put(path, text)
    if not found.server.data:
        return
    found.data.mkdir(parents=True, exist_ok=True)
    if found.owner is not None and os.geteuid() == 0:
        os.chown(found.data, *found.owner)
