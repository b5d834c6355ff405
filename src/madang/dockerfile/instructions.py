"""What an instruction of a Dockerfile means, before any variable is replaced. Pure.

In: an `Instruction`. Out: one frozen value of the types below, checked as far as it can be without variables: forms,
flags, numbers of words. What we lack is refused here, with its line.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from madang.dockerfile.durations import nanoseconds
from madang.dockerfile.parsing import Heredoc, Instruction, heredoc
from madang.dockerfile.refusal import Lacking, Refused
from madang.dockerfile.words import fields


@dataclass(frozen=True, slots=True)
class From:
    line: int
    image: str
    name: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Pairs:
    """ENV, LABEL and ARG; an ARG without default has None."""

    line: int
    name: str
    pairs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """RUN, CMD, ENTRYPOINT: `shell` says that the one word is for a shell."""

    line: int
    name: str
    words: tuple[str, ...]
    shell: bool
    heredocs: tuple[Heredoc, ...] = ()
    mounts: tuple[str, ...] = ()
    network: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY and ADD. `sources` and `target` as written; `inline` are heredocs that become files."""

    line: int
    name: str
    sources: tuple[str, ...]
    target: str
    inline: tuple[Heredoc, ...] = ()
    stage: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """WORKDIR, USER, STOPSIGNAL, MAINTAINER, and ONBUILD with its trigger."""

    line: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """EXPOSE, VOLUME, SHELL."""

    line: int
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """Docker's own words and units: nanoseconds; 0 is inherited."""

    line: int
    test: tuple[str, ...]
    times: tuple[tuple[str, int], ...] = ()
    retries: int = 0


Meaning = From | Pairs | Command | Copy | Text | Listing | Health
STAGE = re.compile(r"[a-z][a-z0-9\-_.]*")
TIMES = (
    ("interval", "Interval"),
    ("timeout", "Timeout"),
    ("start-period", "StartPeriod"),
    ("start-interval", "StartInterval"),
)
FLAGS = {
    "FROM": ("platform",),
    "RUN": ("mount", "network", "security", "device"),
    "COPY": ("from", "chown", "chmod", "link", "parents", "exclude"),
    "ADD": ("chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
}
REPEATED = ("mount", "exclude", "device")
BOOLEAN = ("link", "parents", "keep-git-dir", "unpack")
LACKING = ("security", "device", "keep-git-dir", "unpack", "exclude")


def meaning(one: Instruction, escape: str = "\\") -> Meaning:
    if one.name not in READERS:
        near = get_close_matches(one.name, READERS, 1, 0.5)
        raise Refused(one.line, f"unknown instruction: {one.name}" + (f" (did you mean {near[0]}?)" if near else ""))
    if not one.rest and one.name not in ("RUN", "CMD", "ENTRYPOINT"):
        raise Refused(one.line, f"{one.name} requires at least one argument")
    return READERS[one.name](one, escape)


def flags_of(one: Instruction) -> dict[str, tuple[str, ...]]:
    """Values by name. An unknown flag, one given twice, one without its value, one that we lack: refused."""
    found: dict[str, tuple[str, ...]] = {}
    known = FLAGS.get(one.name, ())
    for flag in one.flags:
        name, sign, value = flag[2:].partition("=")
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            hint = f" (did you mean --{near[0]}?)" if near else ""
            raise Refused(one.line, f"unknown flag: --{name} for {one.name}{hint}")
        if name in LACKING:
            raise Lacking(one.line, f"{one.name} --{name} is not supported here")
        if name in BOOLEAN:
            value = value if sign else "true"
            if value not in ("true", "false"):
                raise Refused(one.line, f"expecting boolean value for flag --{name}, not: {value}")
        elif not sign:
            raise Refused(one.line, f"missing a value on flag: --{name}")
        if name in found and name not in REPEATED:
            raise Refused(one.line, f"duplicate flag specified: --{name}")
        found[name] = (*found.get(name, ()), value)
    return found


def exec_form(text: str, line: int) -> tuple[str, ...] | None:
    """The strings of a JSON array; None where it is no JSON array, and so is for a shell."""
    if not text.lstrip().startswith("["):
        return None
    try:
        words = json.loads(text)
    except ValueError:
        return None
    if not all(isinstance(word, str) for word in words):
        raise Refused(line, "when using JSON array syntax, arrays must be comprised of strings only")
    return tuple(words)


def from_(one: Instruction, _escape: str) -> From:
    words, flags = one.rest.split(), flags_of(one)
    if len(words) != 1 and not (len(words) == 3 and words[1].lower() == "as"):
        raise Refused(one.line, "FROM requires either one or three arguments: FROM image [AS name]")
    name = words[2].lower() if len(words) == 3 else ""
    if name and not STAGE.fullmatch(name):
        hint = "a name begins with a letter and holds letters, digits, '-', '_' and '.'"
        raise Refused(one.line, f'invalid name for build stage: "{words[2]}": {hint}')
    return From(one.line, words[0], name, flags.get("platform", ("",))[0])


def pairs(one: Instruction, escape: str) -> Pairs:
    flags_of(one)
    words = fields(one.rest, escape)
    if "=" not in words[0]:  # the old form: one name, and the rest of the line as its value
        name, *value = re.split(r"\s+", one.rest, maxsplit=1)
        if not value:
            raise Refused(one.line, f"{one.name} must have two arguments")
        return Pairs(one.line, one.name, ((name, value[0]),))
    found = []
    for word in words:
        name, sign, value_ = word.partition("=")
        if not sign:
            text = f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value'
            raise Refused(one.line, text)
        if not name:
            raise Refused(one.line, f"{one.name} names can not be blank")
        found.append((name, value_))
    return Pairs(one.line, one.name, tuple(found))


def arg(one: Instruction, escape: str) -> Pairs:
    flags_of(one)
    found: list[tuple[str, str | None]] = []
    for word in fields(one.rest, escape):
        name, sign, value = word.partition("=")
        if not name:
            raise Refused(one.line, "ARG names can not be blank")
        found.append((name, value if sign else None))
    return Pairs(one.line, "ARG", tuple(found))


def command(one: Instruction, _escape: str) -> Command:
    flags = flags_of(one)
    words = exec_form(one.rest, one.line)
    network = flags.get("network", ("",))[0]
    if network not in ("", "default", "none", "host"):
        raise Refused(one.line, f'RUN --network={network}: expected "default", "none" or "host"')
    if one.name == "RUN" and (words == () or not one.rest):
        raise Refused(one.line, "RUN requires at least one argument")
    given = words if words is not None else ((one.rest,) if one.rest else ())
    return Command(one.line, one.name, given, words is None, one.heredocs, flags.get("mount", ()), network)


def copy(one: Instruction, _escape: str) -> Copy:
    flags = flags_of(one)
    words: Sequence[str] | None = exec_form(one.rest, one.line)
    words = one.rest.split() if words is None else words
    if len(words) < 2:
        text = f"{one.name} requires at least two arguments, but only {len(words)} was provided"
        raise Refused(one.line, f"{text}: the last is the destination")
    *sources, target = words
    if heredoc(target):
        raise Refused(one.line, f"{one.name} can not use a heredoc as its destination")
    known = {h.name: h for h in one.heredocs}
    marks = [(source, mark) for source in sources if (mark := heredoc(source)) and mark.name in known]
    plain = tuple(s for s in sources if s not in {source for source, _ in marks})
    first: Callable[[str], str] = lambda name: flags.get(name, ("",))[0]  # noqa: E731
    return Copy(
        one.line,
        one.name,
        plain,
        target,
        tuple(known[mark.name] for _, mark in marks),
        first("from"),
        first("chown"),
        first("chmod"),
        first("link") == "true",
        first("parents") == "true",
        first("checksum"),
    )


def text(one: Instruction, _escape: str) -> Text:
    flags_of(one)
    return Text(one.line, one.name, one.rest)


def onbuild(one: Instruction, escape: str) -> Text:
    """The trigger as text, heredocs with it, as the image's config keeps it."""
    trigger = one.rest.split(None, 1)[0].upper()
    if trigger == "ONBUILD":
        raise Refused(one.line, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("FROM", "MAINTAINER"):
        raise Refused(one.line, f"{trigger} isn't allowed as an ONBUILD trigger")
    bodies = "".join(f"\n{h.content}{h.name}" for h in one.heredocs)
    return Text(one.line, "ONBUILD", one.rest + bodies)


def listing(one: Instruction, _escape: str) -> Listing:
    flags_of(one)
    words = exec_form(one.rest, one.line) if one.name != "EXPOSE" else None
    if words is None and one.name == "SHELL":
        raise Refused(one.line, f"SHELL requires the arguments to be in JSON form, not: {one.rest}")
    if words is None:
        words = tuple(one.rest.split())
    if not words or "" in words:
        raise Refused(one.line, f"{one.name} requires at least one argument, none of them empty")
    return Listing(one.line, one.name, words)


def health(one: Instruction, _escape: str) -> Health:
    flags = flags_of(one)
    kind, _, rest = one.rest.partition(" ")
    if kind.upper() == "NONE":
        if rest.strip() or flags:
            raise Refused(one.line, "HEALTHCHECK NONE takes no arguments")
        return Health(one.line, ("NONE",))
    if kind.upper() != "CMD":
        raise Refused(one.line, f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    words = exec_form(rest.strip(), one.line)
    if not rest.strip() or words == ():
        raise Refused(one.line, "Missing command after HEALTHCHECK CMD")
    test = ("CMD", *words) if words is not None else ("CMD-SHELL", rest.strip())
    times = tuple((key, period(one.line, flag, flags[flag][0])) for flag, key in TIMES if flag in flags)
    retries = flags.get("retries", ("0",))[0]
    if not re.fullmatch(r"\d+", retries):
        raise Refused(one.line, f'--retries: expected a whole number that is not negative, found "{retries}"')
    return Health(one.line, test, tuple((k, v) for k, v in times if v), int(retries))


def period(line: int, flag: str, value: str) -> int:
    try:
        found = nanoseconds(value)
    except ValueError as error:
        raise Refused(line, f"--{flag}: {error}") from error
    if 0 < found < 1_000_000 or found < 0:
        raise Refused(line, f'--{flag}: "{value}" cannot be less than 1ms')
    return found


READERS: dict[str, Callable[[Instruction, str], Meaning]] = {
    "FROM": from_,
    "ENV": pairs,
    "LABEL": pairs,
    "ARG": arg,
    "RUN": command,
    "CMD": command,
    "ENTRYPOINT": command,
    "COPY": copy,
    "ADD": copy,
    "WORKDIR": text,
    "USER": text,
    "STOPSIGNAL": text,
    "MAINTAINER": text,
    "ONBUILD": onbuild,
    "EXPOSE": listing,
    "VOLUME": listing,
    "SHELL": listing,
    "HEALTHCHECK": health,
}
