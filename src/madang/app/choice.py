"""In which runtime a service of a Compose file runs: a container of an image, or a program of this machine. Pure.

In: what the file and the command ask for, what was chosen before, what is lacking. Out: `Chosen`, with the reason for
people. Ordered rules, first match wins. A choice stays until somebody asks for another one. Who knows of images stands
behind `Runtimes`; without one everything is a program of this machine.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from madang.app.programs.make import Build
    from madang.app.programs.stage import Stage

HOST, CONTAINER, AUTO = "host", "container", "auto"
ASKED = "as asked"
BASE = "{base}"  # in a reason: the image that a Dockerfile stands on, for who has read it


class Tell(Protocol):
    def __call__(self, service: str, line: str, step: bool = False) -> None:
        """`step`: a line that begins something; else what a tool says meanwhile."""


class Impossible(Exception):
    """What was asked for cannot be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a `build:` (its folder is `context`) becomes where it runs in a container. `stage` is what the image says of
    itself, `make` builds it; nothing is to be done where it is `here` already."""

    service: str
    reference: str
    context: Path
    stage: "Stage"
    here: bool
    make: Callable[[Tell, bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """`why` is empty where nobody need be told. `image` only for a `build:` that becomes one."""

    runtime: str = HOST
    why: str = ""
    image: Image | None = None


class Runtimes(Protocol):
    """`given` is what the command asks for all, `asked` what the service's own `x-madang: runtime:` says. Both raise
    `Impossible`."""

    given: str

    def of_build(self, build: "Build", asked: str) -> Chosen: ...

    def of_image(self, project: str, service: str, image: str, asked: str) -> Chosen: ...

    def brought(self, image: str, asked: str) -> Chosen:
        """For an image that no program of this machine stands for: it is brought from its registry."""
        ...


class HostAlone:
    """For who has no images."""

    given = ""

    def of_build(self, build: "Build", asked: str) -> Chosen:
        return choose(asked, "", Kept(), lambda: "", lambda: "no images are kept here")

    def of_image(self, project: str, service: str, image: str, asked: str) -> Chosen:
        return choose(asked, "", Kept(), lambda: f"{image} is not here", lambda: "no images are kept here")

    def brought(self, image: str, asked: str) -> Chosen:
        raise Impossible("")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was chosen before, and why then."""

    runtime: str = ""
    why: str = ""
    anew: int = 0  # how often its image was to be built again although nothing had changed


def choose(
    own: str, given: str, kept: Kept, lacking: Callable[[], str], refused: Callable[[], str], here: str = "its image"
) -> Chosen:
    """`own` is the file's word for this service, `given` the command's for all. `lacking`: why there
    can be no image; `refused`: why containers do not work. Both are asked only where the answer matters."""
    asked = own or given
    if asked == HOST:
        return Chosen(HOST, ASKED)
    if asked == CONTAINER or (kept.runtime == CONTAINER and asked != AUTO):
        if why := refused():
            raise Impossible(f"cannot run in a container: {why}; `madang up --runtime host` makes it a program")
        return Chosen(CONTAINER, ASKED if asked == CONTAINER else kept.why)
    if kept.runtime == HOST and asked != AUTO:
        return Chosen(HOST, kept.why)
    if missing := lacking():
        return Chosen(HOST, missing)
    if why := refused():
        return Chosen(HOST, f"containers do not work here: {why}")
    return Chosen(CONTAINER, f"{here} is here")


def told(chosen: Mapping[str, Chosen]) -> list[str]:
    """Who runs how, and why: a line for each runtime, as services that share both stand together."""
    out = []
    for runtime, name in ((CONTAINER, "in containers"), (HOST, "as programs of this machine")):
        groups: dict[str, list[str]] = {}
        for service in sorted(chosen):
            if chosen[service].runtime == runtime and chosen[service].why:
                groups.setdefault(chosen[service].why, []).append(service)
        if groups:
            out.append(f"{name}: " + "; ".join(f"{', '.join(who)} ({why})" for why, who in groups.items()))
    return out
