"""A Dockerfile as a list of instructions with their lines. Pure.

In: text. Out: `Instruction` values: continuation lines joined, comments left out, heredocs kept apart. The escape
directive is honoured. Syntax: the Dockerfile reference of Docker's documentation.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
DIRECTIVE = re.compile(r"#\s*([a-zA-Z]+)\s*=\s*(.*?)\s*")
WITH_HEREDOCS = ("RUN", "COPY", "ADD")


class DockerfileError(Exception):
    """`line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Instruction:
    """`flags` are the `--name=value` words that stand first; `rest` is what follows them, as it was written."""

    name: str
    rest: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        """The JSON form's strings; else the shell's words."""
        if (exec_form := self.exec_form()) is not None:
            return exec_form
        try:
            return tuple(shlex.split(self.rest))
        except ValueError as error:
            raise DockerfileError(self.line, f"{self.name} {self.rest}: {error}") from error

    def exec_form(self) -> tuple[str, ...] | None:
        if not self.rest.startswith("["):
            return None
        try:
            words = json.loads(self.rest)
        except ValueError:
            return None
        return tuple(words) if isinstance(words, list) and all(isinstance(w, str) for w in words) else None


def parse(text: str) -> list[Instruction]:
    lines = text.splitlines()
    return list(instructions(lines, escape_of(lines)))


def escape_of(lines: list[str]) -> str:
    """Parser directives stand before everything else, one a line."""
    for line in lines:
        found = DIRECTIVE.fullmatch(line.strip())
        if not found:
            break
        if found[1].lower() == "escape" and found[2] in ("`", "\\"):
            return found[2]
    return "\\"


def instructions(lines: list[str], escape: str) -> Iterator[Instruction]:
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        first = at
        text, at = joined(lines, at, escape)
        name, _, rest = text.partition(" ")
        if not re.fullmatch(r"[A-Za-z]+", name):
            raise DockerfileError(first + 1, f"expected an instruction, found {name!r}")
        flags, rest = split_flags(rest.strip())
        heredocs: list[str] = []
        if name.upper() in WITH_HEREDOCS:
            for _quote, mark in HEREDOC.findall(rest):
                body, at = heredoc(lines, at, mark, first)
                heredocs.append(body)
        yield Instruction(name.upper(), rest, first + 1, flags, tuple(heredocs))


def joined(lines: list[str], at: int, escape: str) -> tuple[str, int]:
    """One logical line; comment and empty lines inside a continuation are passed over, as Docker does."""
    parts: list[str] = []
    while at < len(lines):
        line = lines[at].rstrip()
        at += 1
        if parts and (not line.strip() or line.lstrip().startswith("#")):
            continue
        if line.endswith(escape):
            parts.append(line[:-1])
            continue
        parts.append(line)
        break
    return re.sub(r"^\s*(\S+)\s+", r"\1 ", "".join(parts)).strip(), at


def split_flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = []
    while found := re.match(r"--([a-z-]+)(?:=(\S*))?(?:\s+|$)", rest):
        flags.append((found[1], found[2] or ""))
        rest = rest[found.end() :]
    return tuple(flags), rest


def heredoc(lines: list[str], at: int, mark: str, first: int) -> tuple[str, int]:
    body: list[str] = []
    while at < len(lines):
        if lines[at].strip() == mark:
            return "\n".join(body), at + 1
        body.append(lines[at])
        at += 1
    raise DockerfileError(first + 1, f"the heredoc {mark} has no end")
