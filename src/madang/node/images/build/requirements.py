"""Which packages a Python folder stands on, as one text for an installer. Pure.

In: pyproject.toml as a value, and a way to read requirement files. Out: `Requirements`: files that `-r` names are in
it, the folder itself is not (it is the application). What only lies on this machine is refused with its line.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from madang.dockerfile.refusal import Refused

FILE = "requirements.txt"
Read = Callable[[str], str | None]
_OPTION = re.compile(r"(-[A-Za-z]|--[a-z-]+)(?:\s*=\s*|\s*)(.*)")
_FILES = {"-r": "-r", "--requirement": "-r", "-c": "-c", "--constraint": "-c"}
_OWN = re.compile(r"(\.|file:\.)/?(\[[\w, -]*\])?")
_ELSEWHERE = re.compile(r"\.{0,2}/|file:|[\w.-]+(\[[^]]*\])?\s*@\s*file:")


@dataclass(frozen=True, slots=True)
class Requirements:
    """`lines` and `constraints` as an installer reads them; `origin` is the file that names them."""

    lines: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    origin: str = ""

    @property
    def any(self) -> bool:
        """Does a line name a package (and not only how it is found)?"""
        return any(not line.startswith("-") for line in self.lines)


def required(pyproject: Mapping[str, Any], read: Read) -> Requirements:
    """requirements.txt where there is one, as it mostly says exact versions, else the project's dependencies."""
    if (text := read(FILE)) is not None:
        lines: list[str] = []
        constraints: list[str] = []
        _flatten(FILE, text, read, lines, constraints, (FILE,))
        return Requirements(tuple(lines), tuple(constraints), FILE)
    project = pyproject.get("project")
    if not isinstance(project, dict):
        poetry = "poetry" in pyproject.get("tool", {})
        way = "`poetry export -o requirements.txt` makes one" if poetry else "write [project] with its dependencies"
        raise Refused(0, f"pyproject.toml: there is no [project], and no {FILE} beside it; {way}")
    if "dependencies" in project.get("dynamic", ()):
        raise Refused(0, f"pyproject.toml: project.dynamic: dependencies that a build backend finds; add a {FILE}")
    found = project.get("dependencies", [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Refused(0, f"pyproject.toml: project.dependencies: expected a list of strings, found {found!r}")
    for one in found:
        if _ELSEWHERE.match(one):
            raise Refused(0, f'pyproject.toml: project.dependencies: "{one}" lies on this machine alone')
    return Requirements(tuple(found), (), "pyproject.toml" if found else "")


def _flatten(
    path: str, text: str, read: Read, lines: list[str], constraints: list[str], above: tuple[str, ...]
) -> None:
    for number, line in _logical(text):
        where, option = f"{path} line {number}", _OPTION.fullmatch(line)
        name, value = (option[1], option[2].strip()) if option else ("", line)
        if name in _FILES:
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), value))
            found = read(inner)
            if found is None:
                raise Refused(0, f'{where}: "{value}" is not in the folder')
            if inner in above:
                raise Refused(0, f'{where}: "{value}" leads back to itself')
            own = constraints if _FILES[name] == "-c" else lines
            _flatten(inner, found, read, own, constraints, (*above, inner))
        elif name in ("-f", "--find-links"):
            lines.append(f"--find-links {_beside(path, value)}")
        elif name in ("-e", "--editable") or not name:
            if _OWN.fullmatch(value) and not posixpath.dirname(path):
                continue  # the folder itself
            if name or _ELSEWHERE.match(value):
                raise Refused(0, f'{where}: "{line}": only packages that come as wheels can be taken')
            lines.append(line)
        else:
            lines.append(line)


def _beside(path: str, value: str) -> str:
    """Relative to the folder that is built, not to the file that says it."""
    if "://" in value or value.startswith("/"):
        return value
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), value))


def _logical(text: str) -> list[tuple[int, str]]:
    """(number, line) without comments; a backslash at its end joins a line with the next."""
    found: list[tuple[int, str]] = []
    held, begun = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        begun = begun if held else number
        cleaned = re.sub(r"(^|\s+)#.*$", "", line).rstrip()
        if cleaned.endswith("\\"):
            held += cleaned[:-1].rstrip() + " "
            continue
        whole, held = (held + cleaned.strip()).strip(), ""
        if whole:
            found.append((begun, whole))
    if held.strip():
        found.append((begun, held.strip()))
    return found
