"""Images for `madang up`: what a `build:` will become, bringing what it stands on, building it, forgetting old ones.

In: a `Build`, the courtyard's folder. Out: `Foretold` and `Image` values; what happens meanwhile goes to a `Tell`.
Raises `Lacking` where an image cannot be made as things are, `Impossible` where it was tried and failed.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from madang.app.choice import CONTAINER, Chosen, Image, Impossible, Tell
from madang.app.programs.make import Build
from madang.app.programs.stage import Stage
from madang.cli.images import lacking
from madang.dockerfile.instructions import Health
from madang.dockerfile.refusal import Refused
from madang.node.building import dockerfile_image, python_image
from madang.node.building.ahead import Foretold, foretell
from madang.node.building.building import Told
from madang.node.building.copying import Failed
from madang.node.building.dockerfile_image import NoBase
from madang.node.building.interpreter import NoPython
from madang.node.building.runner import Unable
from madang.node.building.wheels import NotInstalled
from madang.node.images.build.project import is_project
from madang.node.images.collection import let_go, sweep, untag
from madang.node.images.image import Healthcheck, ImageConfig
from madang.node.images.place import opened
from madang.node.images.store import Store

Asked = dockerfile_image.Asked | python_image.Asked
KEPT = 10  # images of a service: as many as `rollout undo` knows versions
LAST_LINES = 12
FAILED = (Refused, Failed, NoBase, NoPython, NotInstalled, Unable, ValueError, OSError)


class Lacking(Exception):
    """Why there is no image, as part of a sentence."""


def question(build: Build) -> Asked:
    """A Python folder needs no Dockerfile."""
    from madang.cli.build import moment

    if not build.context.is_dir():
        raise Lacking(f"{build.context} does not exist")
    if not build.inline and not build.file.is_file():
        if build.dockerfile == "Dockerfile" and is_project(os.listdir(build.context)):
            return python_image.Asked(build.context.absolute(), epoch=moment())
        raise Lacking(f"{build.file} does not exist")
    return dockerfile_image.Asked(
        build.context.absolute(), build.file.absolute(), (), build.args, build.target, moment(), text=build.inline
    )


def foretold(build: Build, home: Path, bringing: bool) -> Foretold:
    """`bringing`: what is not here is fetched from its registry; what an engine of this machine has is taken anyway."""
    store, asked, tried = opened(home), question(build), ""
    while True:
        try:
            return foretell(asked, store)
        except NoBase as error:
            there = bool(error.ref) and error.ref != tried and (bringing or lacking.nearby(home, error.ref))
            if not there:
                raise Lacking(f"{error.ref} is not here" if error.ref else str(error)) from error
            bring(home, tried := error.ref)
        except (Refused, NoPython, OSError, ValueError) as error:
            raise Lacking(str(error)) from error


def is_here(home: Path, image: str) -> bool:
    return lacking.is_here(home, image)


def bring(home: Path, image: str) -> None:
    """From an engine of this machine or its registry, if it is not here."""
    try:
        lacking.bring(home, image)
    except lacking.Unbrought as error:
        raise Impossible(str(error)) from error


def chosen(build: Build, home: Path, found: Foretold, why: str, anew: int) -> Chosen:
    """`anew` counts how often it was to be built again although nothing had changed."""
    again = f"-{anew}" if anew else ""
    reference = f"madang.dev/build/{build.project}/{build.service}:{found.key[:12]}{again}"

    async def make(tell: Tell, fresh: bool) -> None:
        await built(build, reference, home, tell, fresh)

    here = is_here(home, reference)
    return Chosen(CONTAINER, why, Image(build.service, reference, build.context, stage(found), here, make))


def stage(found: Foretold) -> Stage:
    """What the image says of itself, in the words of who reads Dockerfiles."""
    config = found.config
    ports = [
        (int(number), protocol.upper()) for number, _, protocol in (p.partition("/") for p in config.exposed_ports)
    ]
    return Stage(
        base=found.bases[0] if found.bases else "scratch",
        env=dict(config.env),
        workdir=config.workdir or "/",
        entrypoint=config.entrypoint,
        command=config.cmd,
        ports=[(number, protocol or "TCP") for number, protocol in ports],
        user=config.user,
        stop_signal=config.stop_signal,
        healthcheck=health(config),
    )


def health(config: ImageConfig) -> Health | None:
    found: Healthcheck | None = config.healthcheck
    if found is None or not found.test:
        return None
    times = (
        ("Interval", found.interval_ns),
        ("Timeout", found.timeout_ns),
        ("StartPeriod", found.start_period_ns),
        ("StartInterval", found.start_interval_ns),
    )
    return Health(0, found.test, tuple((key, value) for key, value in times if value), found.retries)


async def built(build: Build, reference: str, home: Path, tell: Tell, fresh: bool) -> None:
    """The image in the store under `reference`; who had that name before is let go if it is old enough."""
    from madang.node.building import runc

    asked = replace(question(build), names=(reference,), fresh=fresh)
    telling = Telling(build.service, tell)
    try:
        if isinstance(asked, python_image.Asked):
            await python_image.build(asked, home, telling.hear, telling.note)
        else:
            await dockerfile_image.build(asked, home, runc.found(home), telling.hear, telling.note)
    except FAILED as error:
        raise Impossible("\n  ".join([wording(error, build), *telling.tail])) from error
    telling.done()
    await asyncio.to_thread(forget_old, opened(home), reference)


def wording(error: Exception, build: Build) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or build.context}"
    line = getattr(error, "line", 0)
    if not line or build.inline:
        return str(error)
    return f"{build.file}:{line}: {str(error).removeprefix(f'Dockerfile line {line}: ')}"


class Telling:
    """One build as lines: each step as it begins, what its program says, and how it ended."""

    def __init__(self, service: str, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self.service, self.tell, self.clock = service, tell, clock
        self.begun, self.steps, self.known = clock(), 0, 0
        self.tail: deque[str] = deque(maxlen=LAST_LINES)

    def hear(self, told: Told) -> None:
        where = f"{told.stage} " if not told.stage.isdigit() and told.stage != python_image.STAGE else ""
        title = f"{where}{told.number}/{told.steps} {told.title}"
        match told.what:
            case "begun":
                self.tail.clear()
                self.steps += 1
                self.tell(self.service, title, step=True)
            case "cached":
                self.known += 1
                self.tell(self.service, f"{title} (known)")
            case "line":
                self.tail.append(told.line)
                self.tell(self.service, f"{title}: {told.line.strip()}")

    def note(self, text: str) -> None:
        self.tell(self.service, text)

    def done(self) -> None:
        known = f", {self.known} known before" if self.known else ""
        self.tell(self.service, f"built in {self.clock() - self.begun:.1f} s ({self.steps} steps{known})", step=True)


def forget_old(store: Store, reference: str) -> None:
    """Of a service's images the newest stay, and what runs."""
    name = reference.rpartition(":")[0] + ":"
    mine = [(image, ref) for image in store.all() for ref in image.refs if ref.startswith(name) and ref != reference]
    mine.sort(key=lambda one: store.last_used(one[0].digest), reverse=True)
    old = [(image, ref) for image, ref in mine[KEPT:] if not store.holders(image.digest)]
    for image, ref in old:
        if len(image.refs) > 1:
            untag(store, image, ref)
        else:
            let_go(store, [image.digest])
    if old:
        try:
            sweep(store.layout)
        except BlockingIOError:
            return  # somebody loads: the next one sweeps
