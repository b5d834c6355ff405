"""`[tool.poetry.dependencies]` of a pyproject.toml -> requirements for an installer. Pure.

In: the table. Out: requirements in the form of PEP 508; ValueError names an entry that has none (a folder, say).
Poetry's own constraints, `^1.2`, `~1.2`, `1.2` (exactly) and `1.*`, are written as ranges; what Python itself must be
and what is optional is left out. Source: Poetry's documentation, "Dependency specification".
"""

import re
from collections.abc import Mapping
from typing import Any


def requirements(table: Mapping[str, Any]) -> list[str]:
    found = (requirement(name, value) for name, value in table.items() if name.lower() != "python")
    return [one for one in found if one]


def requirement(name: str, value: Any) -> str:
    """Empty for what is optional."""
    if isinstance(value, list):  # one of several, by markers
        return "\n".join(requirement(name, one) for one in value)
    about: Mapping[str, Any] = {"version": value} if isinstance(value, str) else value
    if about.get("optional"):
        return ""
    extras = f"[{','.join(about['extras'])}]" if about.get("extras") else ""
    when = [about[key] for key in ("markers",) if about.get(key)] + pythons(about.get("python", ""))
    markers = f" ; {' and '.join(when)}" if when else ""
    if "git" in about:
        place = next((f"@{about[key]}" for key in ("rev", "tag", "branch") if key in about), "")
        return f"{name}{extras} @ git+{about['git']}{place}{markers}"
    if "url" in about:
        return f"{name}{extras} @ {about['url']}{markers}"
    if "version" not in about:
        raise ValueError(f"{name}: has no version, git or url")
    return f"{name}{extras}{constraint(about['version'])}{markers}"


def pythons(text: str) -> list[str]:
    parts = re.findall(r"([<>=!~]=?)(\d[\d.]*)", constraint(text)) if text else []
    return [f"python_version {sign} '{version}'" for sign, version in parts]


def constraint(text: str) -> str:
    """A version constraint of Poetry's as a version specifier."""
    if "||" in text:
        raise ValueError(f"{text}: alternatives have no form that an installer takes")
    return ",".join(part for one in re.split(r"\s*,\s*|\s+(?=[<>=!^~])", text.strip()) if (part := range_of(one)))


def range_of(text: str) -> str:
    if text == "*":
        return ""
    if text[0] == "^":
        version = text[1:].strip()
        numbers = [int(n) for n in re.findall(r"\d+", version.split("-")[0])]
        fixed = next((at for at, n in enumerate(numbers) if n), len(numbers) - 1)
        return f">={version},<{above(numbers, fixed)}"
    if text[0] == "~" and not text.startswith("~="):
        version = text[1:].strip()
        numbers = [int(n) for n in re.findall(r"\d+", version)]
        return f">={version},<{above(numbers, min(1, len(numbers) - 1))}"
    return re.sub(r"\s+", "", text) if text[0] in "<>=!~" else f"=={text}"


def above(numbers: list[int], place: int) -> str:
    """The lowest version that differs at this place."""
    return ".".join(str(n) for n in [*numbers[:place], numbers[place] + 1])
