"""What the last stage of a Dockerfile says about running its program. Pure.

In: instructions, the target stage, build arguments. Out: a `Stage`: command, environment, working folder, ports,
which folders of the source stand where, and what cannot be done without a container, each with its line.
"""

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from madang.app.programs.dockerfile import DockerfileError, Instruction
from madang.app.programs.installing import installed

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
    healthcheck: Instruction | None = None
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    copies: list[tuple[str, str]] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    patterns: list[tuple[str, str]] = field(default_factory=list)  # of COPY: where its files stand, its line of undone
    args: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)  # paths that a RUN takes away
    packages: list[tuple[str, str]] = field(default_factory=list)  # (flag, value): what its RUN steps install


def last_stage(instructions: Sequence[Instruction], target: str = "", args: Mapping[str, str] | None = None) -> Stage:
    """The target stage with what it inherits from stages that it stands on."""
    given = dict(args or {})
    outer: dict[str, str] = {}
    stages: list[tuple[str, Stage]] = []
    for one in instructions:
        if one.name == "FROM":
            name, stage = begin(one, stages, {**outer, **{k: v for k, v in given.items() if k in outer}})
            if target and stages and stages[-1][0] == target.lower():
                break
            stages.append((name, stage))
        elif one.name == "ARG" and not stages:
            name, _, default = one.rest.partition("=")
            outer[name] = given.get(name, default)
        elif not stages:
            raise DockerfileError(one.line, f"{one.name} before the first FROM")
        else:
            step(stages[-1][1], one, given, outer)
    if not stages:
        raise DockerfileError(1, "there is no FROM")
    if target and stages[-1][0] != target.lower():
        names = ", ".join(n for n, _ in stages if n) or "none has a name"
        raise DockerfileError(1, f"there is no stage {target!r}; stages: {names}")
    return stages[-1][1]


def begin(one: Instruction, stages: list[tuple[str, Stage]], args: Mapping[str, str]) -> tuple[str, Stage]:
    words = expand(one.rest, args).split()
    if not words:
        raise DockerfileError(one.line, "FROM what?")
    name = words[2].lower() if len(words) == 3 and words[1].lower() == "as" else ""
    for known, stage in stages:
        if known and known == words[0].lower():
            return name, replace(deepcopy(stage), args={})  # all but the ARGs
    return name, Stage(base=words[0])


def step(stage: Stage, one: Instruction, given: Mapping[str, str], outer: Mapping[str, str]) -> None:
    """One instruction's effect on the stage."""
    known = {**stage.args, **stage.env}
    text = expand(one.rest, known)
    match one.name:
        case "ARG":
            name, _, default = text.partition("=")
            stage.args[name] = given.get(name, default or outer.get(name, ""))
        case "ENV":
            stage.env.update(pairs(one, known))
        case "WORKDIR":
            stage.workdir = posixpath.normpath(posixpath.join(stage.workdir, text))
        case "CMD":
            stage.command = command(one, stage)
        case "ENTRYPOINT":
            stage.entrypoint, stage.command = command(one, stage), ()
        case "EXPOSE":
            stage.ports += [port(word, one.line) for word in text.split()]
        case "USER":
            stage.user = text
        case "STOPSIGNAL":
            stage.stop_signal = text
        case "HEALTHCHECK":
            stage.healthcheck = one
        case "SHELL":
            stage.shell = one.words()
        case "COPY" | "ADD":
            copy(stage, one, text)
        case "RUN":
            run(stage, one, text)
        case "LABEL" | "MAINTAINER" | "VOLUME" | "ONBUILD":
            pass  # nothing that running the program here depends on
        case _:
            raise DockerfileError(one.line, f"unknown instruction {one.name}")


def run(stage: Stage, one: Instruction, text: str) -> None:
    """What it takes away is gone here too, what it installs is installed; what else it does is told, unless an
    environment is made of it anyway."""
    words = one.exec_form()
    parts = [shlex.join(words)] if words else re.split(r"&&|;", text)
    for part in parts:
        if (made := installed(part, stage.workdir, stage.copies)) is not None:
            stage.packages += made.wanted
            told = (f"RUN pip install {word}: is done only inside an image" for word in made.left)
            stage.undone += [f"line {one.line}: {text}" for text in told]
        if re.match(r"\s*rm\s", part):
            stage.removed += [word for word in part.split()[1:] if word.startswith("/")]
    if not all(any(known.search(part) for known in DONE_ELSEWHERE) for part in parts):
        stage.undone.append(f"line {one.line}: RUN {shorten(one.rest)}: is done only inside an image")


def command(one: Instruction, stage: Stage) -> tuple[str, ...]:
    exec_form = one.exec_form()
    return exec_form if exec_form is not None else (*stage.shell, one.rest)


def copy(stage: Stage, one: Instruction, text: str) -> None:
    if any(name == "from" for name, _ in one.flags):
        if MODULES.search(text):
            return  # what an earlier stage installed is installed here by the environment
        stage.undone.append(f"line {one.line}: {one.name} --from: copies out of a stage that is built only as an image")
        return
    words = Instruction(one.name, text, one.line).words()
    if one.heredocs or len(words) < 2:
        stage.undone.append(f"line {one.line}: {one.name} {shorten(one.rest)}: is done only inside an image")
        return
    *sources, target = words
    place = posixpath.normpath(posixpath.join(stage.workdir, target))
    into_folder = target.endswith("/") or target in (".", "./") or len(sources) > 1
    for source in sources:
        clean = posixpath.normpath(source)
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


def pairs(one: Instruction, known: Mapping[str, str]) -> dict[str, str]:
    words = one.words()
    if words and "=" not in words[0]:  # the old form: ENV NAME the rest
        name, _, value = one.rest.partition(" ")
        return {name: expand(value.strip(), known)}
    return {name: expand(value, known) for name, _, value in (word.partition("=") for word in words)}


def port(word: str, line: int) -> tuple[int, str]:
    number, _, protocol = word.partition("/")
    if not number.isdigit():
        raise DockerfileError(line, f"EXPOSE {word}: expected a port number")
    return int(number), (protocol or "tcp").upper()


def expand(text: str, known: Mapping[str, str]) -> str:
    """$NAME, ${NAME}, ${NAME:-word}, ${NAME:+word}; an unknown name is empty, `\\$` a dollar."""

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
