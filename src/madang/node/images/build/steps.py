"""What is to be done, as values: the steps of a stage, the stages, the plan. Pure.

A `Step` makes one layer. Its `key` names its result: the same key, the same layer. A stage's `config` is the image's
configuration as docker writes it, without `rootfs`, which only the layers tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from madang.node.images.build.mounts import Mount
from madang.node.images.build.remotes import Remote


@dataclass(frozen=True, slots=True)
class Source:
    """Where files come from: the build's own folder, a stage (its number), or an image (its reference)."""

    stage: int | None = None
    image: str = ""

    @property
    def is_context(self) -> bool:
        return self.stage is None and not self.image


CONTEXT, SCRATCH = Source(), Source(image="scratch")


@dataclass(frozen=True, slots=True)
class Run:
    """`secretly` are variables that the program sees and no key or history knows (proxies)."""

    line: int
    title: str
    key: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    workdir: str
    user: str
    mounts: tuple[Mount, ...] = ()
    network: str = ""
    scripts: tuple[tuple[str, str], ...] = ()  # files of /dev/pipes
    secretly: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Files:
    """COPY and ADD: `target` is absolute; that it is a folder shows in its last slash. `inline`: (name, content)."""

    line: int
    title: str
    key: str
    source: Source
    patterns: tuple[str, ...]
    target: str
    inline: tuple[tuple[str, str], ...] = ()
    chown: str = ""
    chmod: int | None = None
    unpack: bool = False
    parents: bool = False
    remotes: tuple[Remote, ...] = ()  # fetched, in place of `patterns`


@dataclass(frozen=True, slots=True)
class Folder:
    """WORKDIR: made where it is not there."""

    line: int
    title: str
    key: str
    path: str
    user: str


Step = Run | Files | Folder


@dataclass(frozen=True, slots=True)
class Stage:
    """`key` names the files that the stage ends with."""

    index: int
    name: str
    line: int
    base: Source
    steps: tuple[Step, ...]
    config: Mapping[str, Any]
    key: str

    def needs(self) -> set[Source]:
        """The stages and images that must be there before it can be built."""
        found = {self.base}
        for step in self.steps:
            if isinstance(step, Files):
                found.add(step.source)
            elif isinstance(step, Run):
                found |= {Source(m.stage, m.image) for m in step.mounts}
        return {s for s in found if not s.is_context and s != SCRATCH}


@dataclass(frozen=True, slots=True)
class Plan:
    """`stages` in the Dockerfile's order, only those that the target stands on."""

    stages: tuple[Stage, ...]
    warnings: tuple[str, ...] = ()

    @property
    def target(self) -> Stage:
        return self.stages[-1]


@dataclass(frozen=True, slots=True)
class Base:
    """An image to stand on: `id` names its files, `config` is its whole configuration as docker writes it."""

    id: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Images whose configuration the plan can't be made without; make it again with them."""

    refs: tuple[str, ...]
