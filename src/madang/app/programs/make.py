"""A `build:` folder becomes a program of this machine: Dockerfile, environment and source put together.

In: a `Build`. Out: a `Program`, saved under the courtyard's home by its reference, and warnings about what only an
image could do. The reference carries a fingerprint of all that the program is made from: a changed source file is
another reference, and so a rolling update, and nothing changed is nothing done.
"""

import hashlib
import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from madang.app.programs.environment import (
    BuildError,
    Package,
    Python,
    Say,
    cache_root,
    node_modules,
    python_environment,
    python_for,
    requirements,
)
from madang.app.programs.installing import FILES
from madang.app.programs.source import fingerprint
from madang.app.programs.stage import Stage, last_stage
from madang.dockerfile.parsing import parse
from madang.dockerfile.refusal import Refused
from madang.ports.program import Program, save

# Folders of the machine that every program needs as they are.
SYSTEM = frozenset(
    [
        "bin",
        "boot",
        "dev",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "proc",
        "root",
        "run",
        "sbin",
        "sys",
        "tmp",
        "usr",
        "var",
    ]
)


@dataclass(frozen=True, slots=True)
class Build:
    """One `build:` of a Compose file, with absolute paths. `inline` is its `dockerfile_inline`."""

    service: str
    project: str
    context: Path
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    inline: str = ""

    @property
    def file(self) -> Path:
        return self.context / self.dockerfile


def read(build: Build) -> Stage:
    """The last stage, or one without a Dockerfile: the folder is the program. BuildError names file and line."""
    if not build.context.is_dir():
        raise BuildError(f"{build.context}: the build folder does not exist")
    if not build.inline and not build.file.is_file():
        if build.dockerfile != "Dockerfile":
            raise BuildError(f"{build.file}: no such Dockerfile")
        return Stage(workdir="/app", copies=[(".", "/app/")])
    try:
        return last_stage(parse(build.inline or build.file.read_text()), build.target, build.args)
    except Refused as error:
        raise BuildError(f"{build.file}:{error.line or 1}: {error.message}") from error


def reference(build: Build, stage: Stage) -> str:
    """What the pods name as their image."""
    made_of = (repr(stage), fingerprint(build.context), str(python_for(stage.base)), str(build.context))
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]
    return f"madang.dev/build/{build.project}/{build.service}:{digest}"


def warnings(build: Build, stage: Stage) -> list[str]:
    said = [f"{build.file}: {text}" for text in (*stage.undone, *covered(build, stage))]
    said += [f"{build.file}: RUN pip install -r {name}: there is no such file here" for name in added(build, stage)[1]]
    if stage.user.partition(":")[0] not in ("", "0", "root") and os.geteuid() == 0:
        said.append(
            f"{build.file}: USER {stage.user}: no user of an image is one of this machine: the program runs as root; "
            "the Compose key `user` chooses another"
        )
    if (build.context / "Pipfile").is_file() and requirements(build.context) is None:
        said.append(f"{build.context / 'Pipfile'}: is not read; `pipenv requirements > requirements.txt` makes what is")
    python = python_for(stage.base)
    if python.other:
        said.append(f"{build.file}: wants Python {python.asked}; this machine has {python.version}, which is used")
    return said


async def make(build: Build, home: Path, say: Say, rebuild: bool = False) -> Program:
    stage = read(build)
    python = python_for(stage.base)
    packages, _ = added(build, stage)
    environment = await python_environment(build.context, python, say, rebuild, packages, is_python(stage.base))
    modules = await node_modules(build.context, say, rebuild)
    program = describe(build, stage, python, environment, modules)
    save(home, program)
    return program


def added(build: Build, stage: Stage) -> tuple[list[Package], list[str]]:
    """What the Dockerfile installs besides the folder's own requirements; the files that it names and that aren't."""
    own = "requirements.txt" if requirements(build.context) is not None else ""
    absent = {v for f, v in stage.packages if f in FILES and "://" not in v and not (build.context / v).is_file()}
    return [(f, v) for f, v in stage.packages if not (f in FILES and v in (*absent, own))], sorted(absent)


def is_python(base: str) -> bool:
    """Whether a program on this image finds a `python`, whatever this machine calls its own."""
    return re.match(r"(?:.*/)?python(?:[:@]|$)", base) is not None


def describe(build: Build, stage: Stage, python: Python, environment: Path | None, modules: Path | None) -> Program:
    """The program as a value. Pure."""
    path, env = [], dict(stage.env)
    if environment is not None:
        path.append(str(environment / "bin"))
        env.setdefault("VIRTUAL_ENV", str(environment))
    if environment is not None or "python" in stage.base:
        # the source folder stays clean, and the second start is quicker than the first
        env.setdefault("PYTHONPYCACHEPREFIX", str(cache_root() / "pycache" / python.version))
        if (build.context / "src").is_dir() and (build.context / "pyproject.toml").is_file():
            env.setdefault("PYTHONPATH", posixpath.join(stage.workdir, "src"))
    mounts = placed(build.context, stage)
    if modules is not None:
        mounts.append((str(modules), posixpath.join(stage.workdir, "node_modules")))
    return Program(
        reference=reference(build, stage),
        root=build.context,
        entrypoint=stage.entrypoint,
        command=stage.command,
        env=env,
        cwd=stage.workdir,
        user=stage.user,
        path=tuple(path),
        ports=tuple(number for number, _ in stage.ports),
        stop_signal=stage.stop_signal,
        mounts=tuple(mounts),
    )


def placed(context: Path, stage: Stage) -> list[tuple[str, str]]:
    """Where the source stands: a copied folder at its target; what a later, larger copy covers is left out."""
    out: list[tuple[str, str]] = []
    for source, target in reversed(stage.copies):
        origin = context if source == "." else context / source
        place = target.rstrip("/") or "/"
        if target.endswith("/") and not origin.is_dir():
            place = posixpath.join(place, origin.name)
        for here, there in at_root(origin) if place == "/" else [(origin, place)]:
            if not any(there == known or there.startswith(known + "/") for _, known in out):
                out.append((str(here), there))
    return out[::-1]


def at_root(folder: Path) -> list[tuple[Path, str]]:
    """What a folder that is copied to / brings, one by one: the machine's own folders stay what they are."""
    return [(path, f"/{path.name}") for path in sorted(folder.iterdir()) if path.name not in SYSTEM]


def covered(build: Build, stage: Stage) -> list[str]:
    """Entries of a folder copied to / that can't stand there."""
    origins = [build.context / source for source, target in stage.copies if target.rstrip("/") == ""]
    found = sorted({path.name for origin in origins if origin.is_dir() for path in origin.iterdir()} & SYSTEM)
    return [f"COPY to /: {name}/ would stand in the place of this machine's /{name}: it is left out" for name in found]
