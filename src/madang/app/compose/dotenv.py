"""Files of NAME=value lines: `.env` and `env_file`.

In: text and the variables known so far. Out: names and values. Quotes, `export`, comments after a space, values over
several lines in quotes, and variables inside unquoted and double-quoted values (Compose Specification, env_file).
"""

import re
from collections.abc import Mapping

from madang.app.compose.interpolation import InterpolationError, interpolate

LINE = re.compile(r"(?:export\s+)?(?P<name>[^\s=:#'\"]+)\s*(?:[=:](?P<rest>.*))?$")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}


class DotenvError(Exception):
    """`line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def parse(text: str, known: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """None for a name without a value: it is taken from the environment of who starts."""
    variables, out = dict(known or {}), {}
    lines = text.removeprefix("\ufeff").splitlines()
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        found = LINE.match(line)
        if found is None:
            raise DotenvError(number, f"expected NAME=value, found {line!r}")
        rest = found["rest"]
        if rest is None:
            out[found["name"]] = variables.get(found["name"])
            continue
        rest = rest.strip()
        if rest[:1] in ("'", '"'):
            while _end(rest) < 0 and at < len(lines):
                rest, at = f"{rest}\n{lines[at]}", at + 1
            if _end(rest) < 0:
                raise DotenvError(number, f"the quote {rest[0]} of {found['name']} is never closed")
        value = _value(rest, variables, number)
        out[found["name"]] = variables[found["name"]] = value
    return out


def raw(text: str) -> dict[str, str | None]:
    """`format: raw`: everything after the first `=` as it stands."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return {name: value for name, _, value in pairs}


def _end(rest: str) -> int:
    """Where the opening quote closes."""
    at = 1
    while at < len(rest):
        if rest[at] == "\\" and rest[0] == '"':
            at += 2
            continue
        if rest[at] == rest[0]:
            return at
        at += 1
    return -1


def _value(rest: str, variables: Mapping[str, str], line: int) -> str:
    if rest.startswith("'"):
        return rest[1 : _end(rest)]
    if rest.startswith('"'):
        text = re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[0]), rest[1 : _end(rest)], flags=re.DOTALL)
    else:
        text = re.split(r"(?:^|\s)#", rest, maxsplit=1)[0].rstrip()
    try:
        return interpolate(text, variables, lambda name: None)
    except InterpolationError as error:
        raise DotenvError(line, str(error)) from error
