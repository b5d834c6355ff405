"""Which image a program of this machine can stand for: the visible table.

In: an image's name. Out: the server found on PATH as a `Program` with its own data folder, if its major version is the
one asked for; else `NoProgram`, whose message names the ways out.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from madang.app.images import scripts
from madang.ports.program import HOST, Program
from madang.ports.settings import DOMAIN


class NoProgram(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Server:
    """One row. `folders` are searched after PATH; `user` runs it where root may not; `data` is where the image keeps
    its data: what Compose mounts there becomes the data folder."""

    image: str
    program: str
    ask: tuple[str, ...]  # makes it tell its version
    ports: tuple[int, ...]
    script: str
    data: tuple[str, ...]
    install: str  # what a person types on Debian to have it
    folders: tuple[str, ...] = ()
    user: str = ""
    configuration: str = ""  # where a file of the user's own replaces the one that we make
    checks: tuple[str, ...] = ()  # programs whose question is whether the server answers


TABLE: tuple[Server, ...] = (
    Server(
        "redis", "redis-server", ("--version",), (6379,), scripts.REDIS, ("/data",), "redis-server",
        checks=("redis-cli",),
    ),
    Server(
        "postgres", "postgres", ("--version",), (5432,), scripts.POSTGRES,
        ("/var/lib/postgresql/data", "/var/lib/postgresql"), "postgresql",
        ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"), "postgres", checks=("pg_isready",),
    ),
    Server(
        "rabbitmq", "rabbitmq-server", ("--version",), (5672,), scripts.RABBITMQ, ("/var/lib/rabbitmq",),
        "rabbitmq-server", ("/usr/lib/rabbitmq/bin",), "rabbitmq",
        checks=("rabbitmq-diagnostics", "rabbitmqctl"),
    ),
    Server(
        "nginx", "nginx", ("-v",), (80,), scripts.NGINX, (), "nginx", ("/usr/sbin",),
        configuration="/etc/nginx/nginx.conf",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    program: Program
    server: Server
    data: Path
    warning: str = ""


def split(image: str) -> tuple[str, str]:
    """(short name, tag): `docker.io/library/redis:7-alpine@sha256:...` -> (`redis`, `7-alpine`)."""
    bare = image.partition("@")[0]
    name, colon, tag = bare.rpartition(":")
    if not colon or "/" in tag:
        name, tag = bare, ""
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name, tag


def server_of(image: str) -> Server | None:
    name, _ = split(image)
    return next((row for row in TABLE if row.image == name), None)


def find(image: str, allow_other_versions: bool, data: Path, owner: str = "") -> Found:
    """`owner` names the service in the reference: each has data, and so a program, of its own."""
    row = server_of(image)
    if row is None:
        known = ", ".join(r.image for r in TABLE)
        raise NoProgram(
            f'"{image}" cannot run here: there is no container runtime, and no program of this machine is known for it '
            f"(known: {known}). Give the service a build: folder, use the image {HOST} with a command of this machine, "
            "or leave the service out by a profile"
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
    return Found(program(row, path, version, image, data, owner), row, data, warning)


def program(row: Server, path: str, version: str, image: str, data: Path, owner: str) -> Program:
    place = row.data[0] if row.data else "/var/lib/madang-data"
    env = {"MADANG_SERVER": path, "MADANG_DATA": str(data), "MADANG_PLACE": place}
    ports = row.ports
    if row.image == "rabbitmq" and "management" in image:
        ports, env["MADANG_PLUGINS"] = (*ports, 15672), "rabbitmq_management"
    if row.image == "postgres":
        env["PGHOST"] = "localhost"  # where its clients find it
    return Program(
        reference=f"{DOMAIN}/image/{owner}{row.image}:{version}",
        root=data,
        entrypoint=("/bin/sh", "-c", scripts.PLACE + row.script, row.image),
        env=env,
        user=(row.user if exists(row.user) else "nobody") if os.geteuid() == 0 and row.user else "",
        path=(str(Path(path).parent),),
        ports=ports,
        stop_signal="SIGINT" if row.image == "postgres" else "SIGQUIT" if row.image == "nginx" else "",
        mounts=((str(data), place),),
    )


def exists(user: str) -> bool:
    try:
        return bool(user and pwd.getpwnam(user))
    except KeyError:
        return False


def installed(row: Server) -> list[tuple[str, str]]:
    """(path, version) of every copy found, PATH first."""
    places = [shutil.which(row.program)]
    for pattern in row.folders:
        top, _, rest = pattern.partition("*")
        folders = sorted(Path(top).glob("*" + rest), reverse=True) if rest else [Path(pattern)]
        places += [str(f / row.program) for f in folders if os.access(f / row.program, os.X_OK)]
    out: dict[str, str] = {}
    for place in places:
        if place and (version := version_of(place, row.ask)):
            out.setdefault(os.path.realpath(place), version)
    return list(out.items())


@cache
def version_of(path: str, ask: Sequence[str]) -> str:
    """Empty where it cannot be run."""
    if path.endswith("rabbitmq-server"):
        return rabbitmq_version()
    try:
        told = subprocess.run([path, *ask], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    matched = re.search(r"(?:v=|nginx/|\) |^)(\d+(?:\.\d+)*)", told.stdout + told.stderr, re.MULTILINE)
    return matched[1] if matched and told.returncode == 0 else ""


def rabbitmq_version() -> str:
    """Its folder carries it; the server itself would boot Erlang only to tell."""
    for folder in sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*"), reverse=True):
        return folder.name.partition("-")[2]
    return ""


def make_data_folder(found: Found) -> None:
    """The folder exists and belongs to who will run the server."""
    found.data.mkdir(parents=True, exist_ok=True)
    if found.program.user:
        who = pwd.getpwnam(found.program.user)
        os.chown(found.data, who.pw_uid, who.pw_gid)
