"""A Python project's dependencies, unpacked for an image's Python: by uv where there is one, else by pip.

In: `Requirements`, the image's `Python`, the project's folder. Out: files in a folder, the same whichever installer
fetched them: what installers write about themselves is taken away, programs are written anew for the image's Python.
Only wheels are taken, so that nothing of a stranger runs here. Raises `NotInstalled` with what the installer said.
"""

import asyncio
import base64
import configparser
import csv
import hashlib
import importlib.util
import os
import posixpath
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from madang.node.building.interpreter import Python
from madang.node.images.build.project import SCRIPT, Script
from madang.node.images.build.requirements import Requirements
from madang.node.images.layout import remove

UV_GLIBC = (17, 28, *range(31, 41))  # the minor versions that uv has a name for
LAST_LINES = 12
LONGEST_LINE = 1 << 20
OF_INSTALLERS = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
ASIDE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # what the caller's Python has is not the image's


class NotInstalled(Exception):
    pass


def installer() -> tuple[str, ...]:
    """uv is quicker, and evaluates markers for the image's Python; pip does so for its own."""
    for uv in (shutil.which("uv"), str(Path(sys.executable).with_name("uv"))):
        if uv and os.access(uv, os.X_OK):
            return (uv, "pip")
    if importlib.util.find_spec("pip"):
        return (sys.executable, "-m", "pip")
    if pip := shutil.which("pip3"):
        return (pip,)
    raise NotInstalled("dependencies are fetched by uv or pip, and neither is here: install uv")


def command(tool: tuple[str, ...], python: Python, target: Path, listing: Path, constraints: Path | None) -> list[str]:
    words = [*tool, "install", "--target", str(target), "--only-binary", ":all:"]
    words += ["--python-version", python.version, "-r", str(listing)]
    words += ["-c", str(constraints)] if constraints is not None else []
    if len(tool) == 2:  # uv
        return [*words, "--python-platform", uv_platform(python), "--link-mode", "copy", "--no-progress"]
    platforms = [word for tag in python.platforms for word in ("--platform", tag)]
    quiet = ["--no-compile", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return [*words, "--implementation", "cp", *platforms, *quiet, "--root-user-action", "ignore"]


def uv_platform(python: Python) -> str:
    if not python.glibc:
        return f"{python.machine}-unknown-linux-musl"
    return f"{python.machine}-manylinux_2_{max((n for n in UV_GLIBC if n <= python.glibc), default=UV_GLIBC[0])}"


async def install(
    wanted: Requirements, python: Python, folder: Path, target: Path, work: Path, tell: Callable[[str], None]
) -> None:
    """Into `target`, which is made. `work` is a folder of one's own."""
    listing, constraints = await asyncio.to_thread(written, wanted, folder, target, work)
    env = {name: value for name, value in os.environ.items() if name not in ASIDE}
    tool = installer()
    process = await asyncio.create_subprocess_exec(
        *command(tool, python, target, listing, constraints), cwd=folder, env=env, limit=LONGEST_LINE,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said: list[str] = []
    try:
        async for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            said = [*said[-LAST_LINES:], line]
            tell(line)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code:
        last = "\n".join(said[-LAST_LINES:])
        raise NotInstalled(f"{wanted.origin}: {Path(tool[0]).name} could not install what it names:\n{last}")
    await asyncio.to_thread(settle, target, python)


def written(wanted: Requirements, folder: Path, target: Path, work: Path) -> tuple[Path, Path | None]:
    """The files that the installer reads: requirements, and constraints where there are any."""
    target.mkdir(parents=True)
    listing, constraints = work / "requirements.txt", work / "constraints.txt"
    listing.write_text("".join(f"{absolute(line, folder)}\n" for line in wanted.lines))
    constraints.write_text("".join(f"{line}\n" for line in wanted.constraints))
    return listing, constraints if wanted.constraints else None


def absolute(line: str, folder: Path) -> str:
    name, _, value = line.partition(" ")
    return f"{name} {folder / value}" if name == "--find-links" and "://" not in value else line


def settle(target: Path, python: Python) -> None:
    """The same files whoever unpacked them."""
    (target / ".lock").unlink(missing_ok=True)
    for cached in sorted(target.rglob("__pycache__")):
        remove(cached)
    programs = target / "bin"
    for about in sorted(target.glob("*.dist-info")):
        for script in scripts(about / "entry_points.txt"):
            programs.mkdir(exist_ok=True)
            write_program(programs / script.name, script.text(python.path).encode())
    for program in sorted(programs.iterdir()) if programs.is_dir() else ():
        first, newline, rest = program.read_bytes().partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            write_program(program, b"#!" + python.path.encode() + newline + rest)
    for about in sorted(target.glob("*.dist-info")):
        for name in OF_INSTALLERS:
            (about / name).unlink(missing_ok=True)
        record(target, about / "RECORD")


def scripts(file: Path) -> list[Script]:
    found = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        found.read_string(file.read_text())
    except FileNotFoundError:
        return []
    except (configparser.Error, UnicodeDecodeError) as error:
        raise NotInstalled(f"{file.parent.name}/{file.name}: {error}") from error
    sections = [found[name] for name in ("console_scripts", "gui_scripts") if found.has_section(name)]
    pairs = [(name, SCRIPT.fullmatch(value)) for section in sections for name, value in section.items()]
    return [Script(name, at[1], at[2]) for name, at in pairs if at and "/" not in name and not name.startswith(".")]


def write_program(path: Path, text: bytes) -> None:
    path.unlink(missing_ok=True)  # never through a link
    path.write_bytes(text)
    path.chmod(0o755)


def record(target: Path, file: Path) -> None:
    """What a package says that it has: sorted, programs as they are now, nothing of installers."""
    if not file.is_file():
        return
    rows = []
    with open(file, newline="", encoding="utf-8") as text:
        for row in csv.reader(text):
            path = row[0] if row else ""
            within = re.sub(r"^(\.\./)+", "", path)
            path = within if within != path and (target / within).is_file() else path
            if not (target / path).is_file() or posixpath.normpath(path) != path:
                continue
            if path.startswith("bin/"):
                body = (target / path).read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
                row = [path, f"sha256={digest}", str(len(body))]
            rows.append([path, *row[1:]])
    with open(file, "w", newline="", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows(sorted(rows))
