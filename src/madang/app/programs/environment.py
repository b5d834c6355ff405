"""What a source folder's program needs besides itself: a virtual environment, node modules; made once, kept by content.

In: a source folder. Out: a folder under the user's cache, named by a hash of what it was made from, and used only
when it is whole: it carries a mark that is written last, and is made under a lock, so that two `up` at once make it
once. Proxy and private-index settings reach the tools through the environment.
"""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from madang.app.programs import poetry
from madang.app.programs.installing import FILES

Say = Callable[[str], None]
Package = tuple[str, str]  # of a Dockerfile's installer: its flag, else "", and what follows
WHOLE = ".whole"  # written last
LAST_LINES = 12
LONGEST_LINE_BYTES = 16 << 20  # tools draw their progress without an end of line
ASIDE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # what the caller's Python has, the new environment has not


class BuildError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter of this machine; `asked` is what the Dockerfile's base image wants ("" for whatever)."""

    program: str
    version: str
    asked: str = ""

    @property
    def other(self) -> bool:
        return bool(self.asked) and not self.version.startswith(self.asked)


def cache_root() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "madang"


def python_for(base: str) -> Python:
    """`python:3.12-slim` wants a Python 3.12; where there is none, ours is taken, and that is said."""
    found = re.match(r"(?:.*/)?python:(\d+\.\d+)", base)
    asked = found[1] if found else ""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if asked and asked != own and (program := working(asked)):
        return Python(program, asked, asked)
    return Python(sys.executable, own, asked)


@cache
def working(version: str) -> str | None:
    """A name on PATH may be a mere shim of a version that isn't there: only one that runs counts."""
    program = shutil.which(f"python{version}")
    if program is None:
        return None
    tried = subprocess.run([program, "-c", "import venv"], capture_output=True, check=False)
    return program if tried.returncode == 0 else None


def requirements(folder: Path) -> list[str] | None:
    """What to hand to the installer; None where the folder names no Python dependencies."""
    listed = folder / "requirements.txt"
    if listed.is_file():
        return ["-r", str(listed)]
    project = folder / "pyproject.toml"
    if project.is_file():
        try:
            read = tomllib.loads(project.read_text())
        except tomllib.TOMLDecodeError as error:
            raise BuildError(f"{project}: {error}") from error
        return dependencies(read, project)
    return None


def dependencies(read: dict[str, Any], project: Path) -> list[str]:
    """As the standard has them, else as Poetry has; what a build backend makes up is told, not left out in silence."""
    listed = read.get("project", {})
    if "dependencies" in listed.get("dynamic", ()):
        raise BuildError(
            f"{project}: project.dynamic: dependencies that a build backend makes up are not known here; "
            "write them in requirements.txt beside it"
        )
    if "dependencies" in listed:
        return list(listed["dependencies"])
    try:
        found = poetry.requirements(read.get("tool", {}).get("poetry", {}).get("dependencies", {}))
    except ValueError as error:
        raise BuildError(
            f"{project}: tool.poetry.dependencies: {error}; write what to install in requirements.txt beside it"
        ) from error
    return [line for one in found for line in one.splitlines() if line]


def key(python: Python, folder: Path, packages: Sequence[Package] = ()) -> str:
    """Two folders with the same requirements share one environment."""
    digest = hashlib.sha256(f"{python.program} {python.version}".encode())
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        if (folder / name).is_file():
            digest.update(included(folder / name))
            if name != "constraints.txt" and name == "requirements.txt":
                break
    if not (folder / "requirements.txt").is_file():
        digest.update(repr(requirements(folder)).encode())  # as it is read now: an older Madang may have read less
    for flag, value in packages:
        digest.update(f"\0{flag} {value}".encode())
        if flag in FILES and (folder / value).is_file():
            digest.update(included(folder / value))
    return digest.hexdigest()[:20]


def included(path: Path, depth: int = 0) -> bytes:
    """A requirements file with those that it includes."""
    text = path.read_bytes()
    for line in text.decode("utf-8", "replace").splitlines():
        found = re.match(r"\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)", line)
        if found and depth < 5 and (path.parent / found[1]).is_file():
            text += included(path.parent / found[1], depth + 1)
    return text


async def python_environment(
    folder: Path, python: Python, say: Say, rebuild: bool = False, packages: Sequence[Package] = (), bare: bool = False
) -> Path | None:
    """The environment's folder; None where the source needs none. `packages` are what a Dockerfile installs besides;
    `bare`: it counts on a `python` of its own, which many machines do not have, even with nothing installed."""
    listed = requirements(folder)
    if listed is None and not packages and not bare:
        return None
    needs = [*(listed or ()), *words(packages, folder)]
    place = cache_root() / "environments" / key(python, folder, packages)
    async with alone(place, rebuild) as done:
        if not done:
            await make_python(place, python, needs, folder, say)
            (place / WHOLE).touch()
    return place


def words(packages: Sequence[Package], folder: Path) -> list[str]:
    """For the installer; files are named by their place in the build folder."""
    named = ((flag, str(folder / value) if flag in FILES and "://" not in value else value) for flag, value in packages)
    return [word for pair in named for word in pair if word]


async def make_python(place: Path, python: Python, needs: Sequence[str], folder: Path, say: Say) -> None:
    uv = find_uv()
    say("making its Python environment" + ("" if uv or not needs else " (quicker with uv installed)"))
    if uv:
        await tool([uv, "venv", "-q", "--no-project", "--python", python.program, str(place)], folder, say)
        install = [uv, "pip", "install", "--python", str(place / "bin" / "python")]
    else:
        pip = [] if needs else ["--without-pip"]  # nothing to install: a moment instead of seconds
        await tool([python.program, "-m", "venv", *pip, str(place)], folder, say)
        install = [str(place / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
        install.append("--progress-bar=off")
    if needs:
        await tool([*install, *needs], folder, say)


def find_uv() -> str | None:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")


async def node_modules(folder: Path, say: Say, rebuild: bool = False) -> Path | None:
    """A `node_modules` of the folder's own lock; None where there is no package.json or modules are there already. An
    empty folder is where an earlier run mounted them."""
    there = folder / "node_modules"
    if not (folder / "package.json").is_file() or (there.is_dir() and any(there.iterdir())):
        return None
    npm = shutil.which("npm")
    if npm is None:
        raise BuildError(f"{folder}: has a package.json, and there is no npm on PATH; install Node.js")
    names = ("package.json", "package-lock.json")
    digest = hashlib.sha256(b"".join((folder / n).read_bytes() for n in names if (folder / n).is_file()))
    place = cache_root() / "node" / digest.hexdigest()[:20]
    async with alone(place, rebuild) as done:
        if not done:
            place.mkdir(parents=True, exist_ok=True)
            for name in names:
                if (folder / name).is_file():
                    shutil.copy(folder / name, place / name)
            verb = "ci" if (folder / "package-lock.json").is_file() else "install"
            say(f"npm {verb}")
            await tool([npm, verb, "--no-audit", "--no-fund"], place, say)
            (place / WHOLE).touch()
    return place / "node_modules"


@asynccontextmanager
async def alone(place: Path, rebuild: bool) -> AsyncIterator[bool]:
    """The only one at this folder, in any process; yields whether it is whole already. A half-made one is removed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(place.with_name(f".{place.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await asyncio.to_thread(fcntl.flock, fd, fcntl.LOCK_EX)
        yield await asyncio.to_thread(ready, place, rebuild)
    finally:
        os.close(fd)


def ready(place: Path, rebuild: bool) -> bool:
    """Whether it is whole; what is not is removed."""
    if place.exists() and (rebuild or not (place / WHOLE).exists()):
        shutil.rmtree(place)
    return place.exists()


async def tool(argv: Sequence[str], cwd: Path, say: Say) -> None:
    """Runs a tool; its last line is the progress, its last lines are the reason where it fails."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k not in ASIDE},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=LONGEST_LINE_BYTES,
    )
    assert process.stdout is not None
    tail: list[str] = []
    try:
        async for raw in process.stdout:
            line = raw.decode("utf-8", "replace").strip()
            if line:
                tail = [*tail, line][-LAST_LINES:]
                say(line)
        code = await process.wait()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if code:
        shown = "\n  ".join(tail) or "(it said nothing)"
        raise BuildError(f"`{' '.join(argv)}` in {cwd} failed with exit code {code}:\n  {shown}")
