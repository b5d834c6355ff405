"""`.dockerignore`: which paths of the folder take no part in the build. Pure.

In: the file's text; then the walker asks for each path, a folder before what lies in it. Out: whether the path is left
out. Patterns are Go's `filepath.Match` with `**` for any number of folders; `!` takes back in; the last line that
matches a path, or a folder above it, decides.
"""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from madang.dockerfile.globs import BadPattern, element

Above = tuple[bool, ...]  # which lines have matched the folder that a path lies in


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    back: bool
    regex: re.Pattern[str]


class Ignore:
    """`lines` in the file's order; ValueError names the line of a bad pattern."""

    def __init__(self, text: str) -> None:
        self.lines: list[Line] = []
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
            cleaned, back = clean(line)
            if line.startswith("#") or not cleaned:
                continue
            try:
                self.lines.append(Line(cleaned, back, compiled(cleaned)))
            except (BadPattern, re.error) as error:
                raise ValueError(f".dockerignore line {number}: {line.strip()}: {error}") from error
        self.takes_back = any(line.back for line in self.lines)

    def look(self, path: str, above: Above = ()) -> tuple[bool, Above]:
        """Is it left out, and what to hand on for what lies in it. `path` is relative, with slashes."""
        out, matched = False, []
        for at, line in enumerate(self.lines):
            hit = bool(above) and above[at]
            if not hit and line.back == out:
                hit = line.regex.fullmatch(path) is not None
            if hit:
                out = not line.back
            matched.append(hit)
        return out, tuple(matched)

    def left_out(self, path: str) -> bool:
        above: Above = ()
        parts = path.split("/")
        for end in range(1, len(parts)):
            _, above = self.look("/".join(parts[:end]), above)
        return self.look(path, above)[0]


def clean(line: str) -> tuple[str, bool]:
    text = line.strip()
    back = text.startswith("!")
    text = text[back:].strip()
    if not text:
        if back:
            raise ValueError('.dockerignore: illegal exclusion pattern: "!"')
        return "", False
    text = posixpath.normpath(text)
    text = text.lstrip("/") or "/" if text.startswith("/") else text
    return text, back


def compiled(pattern: str) -> re.Pattern[str]:
    out, at = [], 0
    while at < len(pattern):
        if pattern.startswith("**", at):
            first, at = at == 0, at + 2
            at += pattern.startswith("/", at)
            out.append(any_depth(pattern, at, first))
            continue
        text, at = element(pattern, at)
        out.append(text)
    return re.compile("".join(out), re.DOTALL)


def any_depth(pattern: str, at: int, first: bool) -> str:
    """What `**` stands for. At the start, with plain text behind it and no slash, any beginning of a name."""
    if at == len(pattern):
        return ".*"
    if first and not pattern.startswith("**/") and not set(pattern[at:]) & set("*?[]\\"):
        return ".*"
    return "(?:.*/)?"


def read(text: str | None) -> Ignore:
    return Ignore(text or "")


def names(folders: Sequence[str], dockerfile: str) -> tuple[str, ...]:
    """Where the file may lie, the first that exists counts: beside the Dockerfile, else in the folder."""
    return (*(f"{folder}/{dockerfile}.dockerignore" for folder in folders), ".dockerignore")
