"""What the last stage of a Dockerfile says about running its program. Pure.

In: a parsed Dockerfile, the target stage, build arguments. Out: a `Stage`: command, environment, working folder, ports,
which folders of the source stand where, and what cannot be done without a container, each with its line.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

from madang.app.programs.installing import installed
from madang.dockerfile.instructions import Command, Copy, From, Health, Listing, Meaning, Pairs, Text, meaning
from madang.dockerfile.parsing import Dockerfile
from madang.dockerfile.ports import ports
from madang.dockerfile.refusal import Lacking, Refused
from madang.dockerfile.words import expanded, split

# RUN steps that the environment below already does, or that only matter inside an image.
DONE_ELSEWHERE = (
    re.compile(r"\b(pip3?|uv pip|uv|poetry|pipenv|pdm) (install|sync)\b"),
    re.compile(r"\b(pip3?|poetry) config\b"),
    re.compile(r"\b(npm|yarn|pnpm) (ci|install)\b"),
    re.compile(r"\b(mkdir|chown|chmod|useradd|adduser|groupadd|addgroup|rm|touch)\b"),
)
MODULES = re.compile(r"(^|/)(node_modules|site-packages|\.?venv|virtualenv)(/|\s|$)")
VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?:(:[-+])([^}]*))?\})")


@dataclass
class Stage:
    """`copies` are (source path in the build folder, absolute target); `undone` what a container would have done."""

    base: str = ""
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: list[tuple[int, str]] = field(default_factory=list)
    user: str = ""
    stop_signal: str = ""
    healthcheck: Health | None = None
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    copies: list[tuple[str, str]] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    patterns: list[tuple[str, str]] = field(default_factory=list)  # of COPY: where its files stand, its line of undone
    args: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)  # paths that a RUN takes away
    packages: list[tuple[str, str]] = field(default_factory=list)  # (flag, value): what its RUN steps install
    has_command: bool = False  # of its own, not of what it stands on


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of who builds, those before the first FROM, and the file's escape character."""

    args: Mapping[str, str]
    outer: dict[str, str]
    escape: str

    def arg(self, name: str, default: str | None) -> str:
        return self.args.get(name, default if default is not None else self.outer.get(name, ""))


def last_stage(file: Dockerfile, target: str = "", args: Mapping[str, str] | None = None) -> Stage:
    """The target stage (by its name or number) with what it inherits from stages that it stands on."""
    given = Given(dict(args or {}), {}, file.escape)
    stages: list[tuple[str, Stage]] = []
    for one in file.instructions:
        try:
            found = meaning(one, file.escape)
        except Lacking as error:
            if stages:
                stages[-1][1].undone.append(f"line {one.line}: {error.message}: is done only inside an image")
                continue
            raise
        if isinstance(found, From):
            if target and stages and wanted(target, stages):
                break
            stages.append(begin(found, stages, given))
        elif stages:
            step(stages[-1][1], found, given)
        elif isinstance(found, Pairs) and found.name == "ARG":
            for name, default in found.pairs:
                given.outer[name] = given.arg(name, default and expanded(default, given.outer, given.escape, one.line))
        else:
            raise Refused(one.line, f"{one.name} before the first FROM")
    if not stages:
        raise Refused(1, "there is no FROM")
    if target and not wanted(target, stages):
        names = ", ".join(n for n, _ in stages if n) or "none has a name"
        raise Refused(1, f"there is no stage {target!r}; stages: {names}")
    return stages[-1][1]


def wanted(target: str, stages: list[tuple[str, Stage]]) -> bool:
    """Whether the newest stage is the one that is asked for."""
    return target.lower() in (stages[-1][0], str(len(stages) - 1))


def begin(one: From, stages: list[tuple[str, Stage]], given: Given) -> tuple[str, Stage]:
    image = expanded(one.image, given.outer, given.escape, one.line)
    for known, stage in stages:
        if known and known == image.lower():
            return one.name, replace(deepcopy(stage), args={}, has_command=False)  # all but the ARGs
    return one.name, Stage(base=image)


def step(stage: Stage, one: Meaning, given: Given) -> None:
    """One instruction's effect on the stage. What is for an image alone (labels, volumes, triggers) has none."""
    known = {**stage.args, **stage.env}

    def value(text: str) -> str:
        return expanded(text, known, given.escape, one.line)

    match one:
        case Pairs(name="ARG"):
            for name, default in one.pairs:
                stage.args[name] = given.arg(name, default if default is None else value(default))
        case Pairs(name="ENV"):
            stage.env.update({value(name): value(text or "") for name, text in one.pairs})
        case Text(name="WORKDIR"):
            stage.workdir = posixpath.normpath(posixpath.join(stage.workdir, value(one.text)))
        case Text(name="USER"):
            stage.user = value(one.text)
        case Text(name="STOPSIGNAL"):
            stage.stop_signal = value(one.text)
        case Listing(name="EXPOSE"):
            stage.ports += [opened for word in one.words for opened in exposed(word, known, given.escape, one.line)]
        case Listing(name="SHELL"):
            stage.shell = one.words
        case Health():
            stage.healthcheck = one
        case Command(name="RUN"):
            run(stage, one)
        case Command(name="CMD"):
            stage.command, stage.has_command = words(one, stage), True
        case Command():
            stage.entrypoint = words(one, stage)
            stage.command = stage.command if stage.has_command else ()
        case Copy():
            copy(stage, one, value)
        case _:
            pass


def words(one: Command, stage: Stage) -> tuple[str, ...]:
    return (*stage.shell, *one.words) if one.shell and one.words else one.words


def exposed(word: str, known: Mapping[str, str], escape: str, line: int) -> list[tuple[int, str]]:
    try:
        parts = [part for text in split(word, known, escape) for part in ports(text, line)]
    except ValueError as error:
        raise Refused(line, f"EXPOSE {word}: {error}") from error
    return [(int(number), protocol.upper()) for number, _, protocol in (part.partition("/") for part in parts)]


def run(stage: Stage, one: Command) -> None:
    """What it takes away is gone here too, what it installs is installed; what else it does is told, unless an
    environment is made of it anyway."""
    shown = " ".join(one.words) if one.shell else shlex.join(one.words)
    text = in_shell(shown, {**stage.args, **stage.env})
    parts = re.split(r"&&|;", text) if one.shell else [shown]
    for part in parts:
        if (made := installed(part, stage.workdir, stage.copies)) is not None:
            stage.packages += made.wanted
            told = (f"RUN pip install {word}: is done only inside an image" for word in made.left)
            stage.undone += [f"line {one.line}: {text}" for text in told]
        if re.match(r"\s*rm\s", part):
            stage.removed += [word for word in part.split()[1:] if word.startswith("/")]
    if not all(any(known.search(part) for known in DONE_ELSEWHERE) for part in parts):
        stage.undone.append(f"line {one.line}: RUN {shorten(shown)}: is done only inside an image")


def copy(stage: Stage, one: Copy, value: Callable[[str], str]) -> None:
    sources, target = [value(text) for text in one.sources], value(one.target)
    if one.stage:
        if any(MODULES.search(text) for text in (*sources, target)):
            return  # what an earlier stage installed is installed here by the environment
        stage.undone.append(f"line {one.line}: {one.name} --from: copies out of a stage that is built only as an image")
        return
    if one.inline:
        names = " ".join(f"<<{heredoc.name}" for heredoc in one.inline)
        stage.undone.append(f"line {one.line}: {one.name} {names} {target}: is done only inside an image")
    place = posixpath.normpath(posixpath.join(stage.workdir, target))
    into_folder = target.endswith("/") or target in (".", "./") or len(sources) > 1
    for source in sources:
        clean = posixpath.normpath(source).lstrip("/") or "."
        if "://" in source or any(c in source for c in "*?["):
            text = f"line {one.line}: {one.name} {source}: is done only inside an image"
            stage.undone.append(text)
            if "/" not in clean:
                stage.patterns.append((place, text))
        else:
            if clean == ".":  # brings those files too: `COPY package*.json ./` comes first only for an image's layers
                covered = [told for where, told in stage.patterns if where == place]
                stage.undone = [told for told in stage.undone if told not in covered]
            stage.copies.append((clean, place if not into_folder else place + "/"))


def in_shell(text: str, known: Mapping[str, str]) -> str:
    """What the shell of a RUN makes of the variables that it surely has; its quotes stay. An unknown name is empty."""

    def value(found: re.Match[str]) -> str:
        if found[0] == r"\$":
            return "$"
        here = known.get(found[1] or found[2], "")
        if found[3] == ":-":
            return here or found[4]
        if found[3] == ":+":
            return found[4] if here else ""
        return here

    return VARIABLE.sub(value, text)


def shorten(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
