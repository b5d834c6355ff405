"""A Dockerfile as a list of instructions with their lines. Pure.

In: text. Out: `Dockerfile`: its directives and one `Instruction` for each, continuation lines joined, comments left
out, flags and heredocs apart. What each instruction means is said in `instructions.py`. Syntax: the Dockerfile
reference, and BuildKit's parser where the reference is silent.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from madang.dockerfile.refusal import Refused
from madang.dockerfile.words import expand, fields

DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
DIRECTIVES = ("syntax", "escape", "check")
HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
WITH_HEREDOCS = ("RUN", "COPY", "ADD")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """`expand`: its name was not quoted, so variables in it are replaced."""

    name: str
    content: str
    expand: bool
    tabs_off: bool

    def text(self) -> str:
        return re.sub(r"(?m)^\t+", "", self.content) if self.tabs_off else self.content


@dataclass(frozen=True, slots=True)
class Instruction:
    """`flags` are the `--name=value` words that stand first, `rest` what follows them, `text` all of its first line."""

    name: str
    rest: str
    line: int
    flags: tuple[str, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Dockerfile:
    instructions: tuple[Instruction, ...]
    escape: str = "\\"
    syntax: str = ""


def parse(text: str) -> Dockerfile:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    given = directives(lines)
    escape = given.get("escape", "\\")
    found, at = [], 0
    while at < len(lines):
        if not lines[at].strip() or comment(lines[at]):
            at += 1
            continue
        first = at
        joined, at = statement(lines, at, escape)
        if not joined.strip():
            continue
        one = instruction(joined.strip(), first + 1)
        heredocs, at = bodies(one, lines, at, escape)
        found.append(replace(one, heredocs=heredocs))
    if not found:
        raise Refused(0, "the Dockerfile has no instructions")
    return Dockerfile(tuple(found), escape, given.get("syntax", ""))


def comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def directives(lines: Sequence[str]) -> dict[str, str]:
    """They stand before everything else, one a line, each once; any other comment ends them."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        one = DIRECTIVE.fullmatch(line.strip())
        if not one or (name := one[1].lower()) not in DIRECTIVES:
            break
        if name in found:
            raise Refused(number, f"only one {name} parser directive can be used")
        if name == "escape" and one[2] not in ("\\", "`"):
            raise Refused(number, f"invalid escape token '{one[2]}' does not match ` or \\")
        found[name] = one[2]
    return found


def statement(lines: Sequence[str], at: int, escape: str) -> tuple[str, int]:
    """One logical line, and where the next begins. Comments and empty lines inside a continuation are passed over."""
    parts: list[str] = []
    continued = re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*$")  # two are no continuation
    while at < len(lines):
        line = lines[at] if parts else lines[at].lstrip()
        at += 1
        if parts and (not line.strip() or comment(line)):
            continue
        parts.append(continued.sub("", line))
        if parts[-1] == line:
            break
    return "".join(parts), at


def instruction(text: str, line: int) -> Instruction:
    name, *rest = re.split(r"\s+", text, maxsplit=1)
    flags, rest_text = leading_flags(rest[0] if rest else "")
    return Instruction(name.upper(), rest_text, line, flags, (), text)


def leading_flags(rest: str) -> tuple[tuple[str, ...], str]:
    flags: list[str] = []
    while rest.startswith("--"):
        word, rest = first_word(rest)
        if word == "--":
            break
        flags.append(word)
    return tuple(flags), rest.strip()


def first_word(text: str) -> tuple[str, str]:
    """A flag without its quotes, and what follows. A backslash escapes here whatever the escape directive says."""
    quote, word, at = "", "", 0
    while at < len(text) and (quote or not text[at].isspace()):
        char = text[at]
        at += 1
        if char == "\\":
            word += text[at : at + 1]
            at += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            word += char
    return word, text[at:].lstrip()


def bodies(one: Instruction, lines: Sequence[str], at: int, escape: str) -> tuple[tuple[Heredoc, ...], int]:
    """The heredocs that an instruction announces, read from the lines after it."""
    name, rest = one.name, one.rest
    if name == "ONBUILD":
        inner = instruction(rest, one.line) if rest else one
        name, rest = inner.name, inner.rest
    if name not in WITH_HEREDOCS or is_json(rest) or not is_closed(rest, escape):
        return (), at
    found = []
    for word in fields(rest, escape):
        if mark := heredoc(word):
            body, at = body_of(mark, lines, at, one.line)
            found.append(body)
    return tuple(found), at


def is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def is_closed(text: str, escape: str) -> bool:
    """Every quote that begins ends: else nothing in the line is read as a heredoc."""
    try:
        expand(text.replace("$", ""), {}, escape)
    except ValueError:
        return False
    return True


def heredoc(word: str) -> Heredoc | None:
    """A word like `<<EOF`, `3<<-"EOF"`; its content is read later."""
    one = HEREDOC.fullmatch(word)
    if not one:
        return None
    try:
        name = expand(one[2].replace("$", "\\$"), {})
    except ValueError:  # a quote that does not end
        return None
    return Heredoc(name, "", expand=name == one[2], tabs_off=bool(one[1])) if name else None


def body_of(mark: Heredoc, lines: Sequence[str], at: int, line: int) -> tuple[Heredoc, int]:
    for end in range(at, len(lines)):
        if (lines[end].lstrip("\t") if mark.tabs_off else lines[end]) == mark.name:
            content = "".join(f"{text}\n" for text in lines[at:end])
            return replace(mark, content=content), end + 1
    raise Refused(line, f"the heredoc {mark.name} has no end")
