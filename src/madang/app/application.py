"""What an application's files become, as values: the wanted objects in order, what to build, what to tell the user.

In: nothing. Out: the frozen types that `load`, `build`, `apply` and `progress` share with the command line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from madang.app.choice import Chosen, HostAlone, Image, Runtimes
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

if TYPE_CHECKING:
    from madang.app.images.found import Found
    from madang.app.programs.make import Build
    from madang.app.watching import Rule

PROJECT = f"{DOMAIN}/project"  # label: which application an object belongs to
SERVICE = f"{DOMAIN}/service"  # label: which service of it
MADE_FROM = f"{DOMAIN}/made-from"  # annotation: a fingerprint of what an object that cannot be changed was made from
State = Literal["waiting", "building", "starting", "ready", "done", "failed"]


class ApplicationError(Exception):
    """Every fault that was found, each with its file, line and path. Nothing was applied."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages = list(messages)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """`files` are those of `-f`, `home` is the courtyard's state folder."""

    files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    env_files: tuple[Path, ...] = ()
    environment: str = ""  # `--env`: its own files over the base (overlay.py)
    project: str = ""
    home: Path = Path()
    allow_other_versions: bool = False
    runtimes: Runtimes = field(default_factory=HostAlone)  # which services become containers
    runtime: str = ""  # what is asked for all pods of manifests


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume's folder, and who is to own it when it is new."""

    path: Path
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Application:
    """`builds` are made into programs, `images` are built, before `objects` are applied; `found` are servers of this
    machine that stand for images; `chosen` says of each service how it runs, `rules` what a changed file means.
    `services` are the names as the files write them, `sources` the files read."""

    name: str
    namespace: str
    objects: Sequence[Obj]
    builds: "Sequence[Build]" = ()
    images: Sequence[Image] = ()
    chosen: Mapping[str, Chosen] = field(default_factory=dict)
    rules: Sequence["Rule"] = ()
    found: "Sequence[Found]" = ()
    volumes: Sequence[Volume] = ()
    warnings: Sequence[str] = ()
    services: Sequence[str] = ()
    sources: Sequence[Path] = ()
    places: Mapping[tuple[str, str, str], str] = field(default_factory=dict)  # (kind, namespace, name) -> file:line
    options: LoadOptions = field(default_factory=LoadOptions)
    paths: Sequence[Path] = ()
    taken: str = ""  # which files, where there was a choice


@dataclass(frozen=True, slots=True)
class Applied:
    """Each name is `kind/name`, as kubectl prints it."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ServiceState:
    service: str
    state: State
    detail: str = ""
