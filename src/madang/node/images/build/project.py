"""A Python folder without a Dockerfile: what it stands on, how it starts, which Python it wants. Pure.

In: the paths that the folder holds, and a way to read its files. Out: a `Project`. Raises `Refused` with the file and
the field. How it starts is an ordered table, first match wins: a script of the project, then main.py, app.py, a package
with a __main__.py.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from madang.dockerfile.refusal import Refused
from madang.node.images.build.requirements import FILE, Read, Requirements, required

PYPROJECT = "pyproject.toml"
HOME, DEPENDENCIES, OWN = "/app", "/opt/dependencies", "/opt/application"
# What a folder has for its author alone. A line with ! in .dockerignore takes back in.
IGNORED = """\
**/.git
**/.hg
**/__pycache__
**/*.py[co]
**/.venv
**/venv
**/.tox
**/.nox
**/.mypy_cache
**/.ruff_cache
**/.pytest_cache
**/.hypothesis
**/*.egg-info
**/.DS_Store
.dockerignore
"""
SCRIPT = re.compile(r"([A-Za-z_][\w.]*)\s*:\s*([A-Za-z_][\w.]*)\s*(\[.*\])?")
_NAME, _VERSION = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII), re.compile(r"[\w.!+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Script:
    """A program that calls `function` of `module`."""

    name: str
    module: str
    function: str

    def text(self, python: str) -> str:
        first, _, _ = self.function.partition(".")
        return (
            f"#!{python}\nimport sys\n\nfrom {self.module} import {first}\n\n"
            f'if __name__ == "__main__":\n    sys.exit({self.function}())\n'
        )


@dataclass(frozen=True, slots=True)
class Project:
    """`command` is empty where nothing says how it starts; `starts` is the one line about it. `scripts` are the
    project's own programs, `metadata` what `importlib.metadata` reads of it ("" without a name and a version).
    `python` is the version that it asks for, "3.11" or "" for any; `search` is where its modules lie."""

    name: str
    version: str
    requirements: Requirements
    command: tuple[str, ...]
    starts: str
    scripts: tuple[Script, ...]
    search: str
    python: str
    metadata: str


def is_project(names: Collection[str]) -> bool:
    return PYPROJECT in names or FILE in names


def project(paths: Collection[str], read: Read) -> Project:
    text = read(PYPROJECT)
    try:
        body = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        raise Refused(0, f"{PYPROJECT}: {error}") from error
    about = body.get("project", {})
    if not isinstance(about, dict):
        raise Refused(0, f"{PYPROJECT}: project: expected a table, found {about!r}")
    name, version = str(about.get("name", "")), str(about.get("version", ""))
    for field, value, rule in (("name", name, _NAME), ("version", version, _VERSION)):
        if value and not rule.fullmatch(value):
            raise Refused(0, f'{PYPROJECT}: project.{field}: "{value}" is no {field} of a Python project')
    scripts = _scripts(about)
    source = any(path.startswith("src/") for path in paths) and "src/__init__.py" not in paths
    search = f"{HOME}/src" if source else HOME
    command, starts = _start(name, scripts, paths, "src/" if source else "")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if name and version else ""
    asked = _python(read(".python-version"), str(about.get("requires-python", "")))
    return Project(name, version, required(body, read), command, starts, scripts, search, asked, metadata)


def _scripts(about: Mapping[str, Any]) -> tuple[Script, ...]:
    found = about.get("scripts", {})
    if not isinstance(found, dict):
        raise Refused(0, f"{PYPROJECT}: project.scripts: expected a table, found {found!r}")
    scripts = []
    for name, value in sorted(found.items()):
        parts = SCRIPT.fullmatch(value) if isinstance(value, str) else None
        if parts is None or "/" in name or name.startswith("."):
            raise Refused(0, f'{PYPROJECT}: project.scripts.{name}: expected "module:function", found {value!r}')
        scripts.append(Script(name, parts[1], parts[2]))
    return tuple(scripts)


def _start(name: str, scripts: tuple[Script, ...], paths: Collection[str], below: str) -> tuple[tuple[str, ...], str]:
    """(command, why). Of several scripts the one that is called as the project."""
    chosen = scripts if len(scripts) == 1 else tuple(one for one in scripts if _same(one.name, name))
    if chosen:
        one = chosen[0]
        return (f"{OWN}/bin/{one.name}",), f"starts with {one.name} ({one.module}:{one.function} of project.scripts)"
    for file in ("main.py", "app.py"):
        if file in paths:
            return ("python3", file), f"starts with {file}"
    if "__main__.py" in paths:
        return ("python3", "."), "starts with __main__.py"
    mains = re.compile(re.escape(below) + r"(\w+)/__main__\.py")
    packages = sorted(found[1] for path in paths if (found := mains.fullmatch(path)))
    wanted = [one for one in packages if _same(one, name)] or packages
    if len(wanted) == 1:
        return ("python3", "-m", wanted[0]), f"starts with {below}{wanted[0]}/__main__.py"
    several = f"several scripts ({', '.join(s.name for s in scripts)})" if scripts else ""
    several = several or (f"several packages with a __main__.py ({', '.join(packages)})" if packages else "")
    what = several or "no script in project.scripts, no main.py, app.py or __main__.py"
    return (), f"starts as its base image does: {what}"


def _same(one: str, other: str) -> bool:
    return re.sub(r"[-_.]+", "-", one).lower() == re.sub(r"[-_.]+", "-", other).lower()


def _python(pinned: str | None, requires: str) -> str:
    """What .python-version says, else the least that requires-python allows."""
    if pinned and (found := re.match(r"\s*(?:cpython-?)?(3\.\d+)", pinned)):
        return found[1]
    least = re.search(r"(?:>=|==|~=)\s*(3\.\d+)", requires)
    return f"{least[1]}{'+' if '>=' in requires else ''}" if least else ""


def suits(asked: str, version: str) -> bool:
    """Is that Python new enough? An exact wish ("3.11" without a plus) chooses a base, and --base overrules it."""
    return not asked.endswith("+") or _numbers(version) >= _numbers(asked.removesuffix("+"))


def base_name(asked: str, own: tuple[int, int]) -> str:
    """The official image for the Python that is asked for: exactly that one, or ours where it is new enough."""
    wanted = _numbers(asked.removesuffix("+")) if asked else own
    if asked.endswith("+"):
        wanted = max(wanted, own)
    return f"python:{wanted[0]}.{wanted[1]}-slim"


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
