"""The layers of an image as people think of them: base, operating system, runtime, application.

In: an image. Out: one `Row` a layer, lowest first, with its group. The lowest layer is the base. Of the others the step
that made it tells (an ordered table, first match wins); a group never goes back, since what stands on a runtime is part
of what is built on it. A builder that knows better says so in its step's comment: `madang.dev/group=runtime`. Pure.
"""

import re
from dataclasses import dataclass

from madang.node.images.image import Image, Layer, Step

GROUPS = ("base", "operating system", "runtime", "application")
BASE, SYSTEM, RUNTIME, APPLICATION = range(4)
_SAID = re.compile(r"madang\.dev/group=([a-z-]+)")
_RULES: tuple[tuple[int, re.Pattern[str]], ...] = (
    # tools of a language fetch what an application stands on, or the language itself
    (RUNTIME, re.compile(r"\b(pip3?|uv|poetry|conda|npm|yarn|pnpm|gem|bundle|composer|go|cargo|mvn|gradle)\s+(install"
                         r"|add|sync|ci|get|mod|build|fetch|package|pip)\b")),
    (RUNTIME, re.compile(r"(?i)\b(python|node(js)?|java|jdk|jre|ruby|php|perl|golang|dotnet|erlang|rust)[\w.+-]*")),
    # the system's own packages, users and certificates
    (SYSTEM, re.compile(r"\b(apt-get|apt|apk|dnf|microdnf|yum|zypper|pacman|dpkg|rpm|mmdebstrap|debootstrap)\b")),
    (SYSTEM, re.compile(r"\b(useradd|adduser|groupadd|addgroup|update-ca-certificates|locale-gen|localedef)\b")),
    (APPLICATION, re.compile(r"(?s).*")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """`layer` is None for a step that made none (ENV, CMD ...)."""

    group: str
    step: Step
    layer: Layer | None


def rows(image: Image) -> list[Row]:
    history = list(image.history)
    if sum(not s.empty for s in history) != len(image.layers):  # it tells of another image, or of nothing
        history = [Step(layer.created_by) for layer in image.layers]
    layers = iter(image.layers)
    found: list[Row] = []
    group = BASE
    first = True
    for step in history:
        layer = None if step.empty else next(layers)
        if layer is not None:
            group = group_of(step, group, lowest=first)
            first = False
        found.append(Row(GROUPS[group], step, layer))
    return found


def group_of(step: Step, below: int, *, lowest: bool) -> int:
    """`below`: the group of what it stands on."""
    if said := _SAID.search(step.comment):
        name = said[1].replace("-", " ")
        return max(below, GROUPS.index(name)) if name in GROUPS else APPLICATION
    if lowest:
        return BASE
    text = shown(step.created_by)
    copied = text.startswith(("COPY", "ADD"))
    return max(below, APPLICATION if copied else next(group for group, rule in _RULES if rule.search(text)))


def shown(created_by: str) -> str:
    """The step as its Dockerfile had it: builders add a shell, a mark, or the arguments of the build."""
    text = re.sub(r"^(RUN )?(\|\d+ (\S+=\S* )*)?/bin/sh -c\s+", "RUN ", created_by)
    text = re.sub(r"^RUN #\(nop\)\s+", "", text)
    return re.sub(r"\s+", " ", text.removesuffix("# buildkit")).strip()
