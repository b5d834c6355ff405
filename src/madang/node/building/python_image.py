"""`madang build` of a Python folder without a Dockerfile: three layers, by how often they change, and no container.

In: an `Asked`, the courtyard's folder. Out: the image: what its base has, its dependencies (known by what names them
and by the base's Python), the folder itself. Raises `Refused` where the folder is wrong, `NoBase` and `NoPython` where
the base image is, `NotInstalled` where a dependency can't be had.
"""

import asyncio
import json
import os
import re
import stat
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from madang.dockerfile.ignore import Ignore
from madang.dockerfile.refusal import Refused
from madang.node.building import interpreter, layers, wheels
from madang.node.building.building import Told
from madang.node.building.cache import Cache, Made
from madang.node.building.copying import Writer
from madang.node.building.dockerfile_image import NoBase, base, moment, platform, stored
from madang.node.building.interpreter import Python
from madang.node.building.pruning import after_build
from madang.node.building.trees import Context, Tree
from madang.node.images.build.keys import key
from madang.node.images.build.plan import EPOCH
from madang.node.images.build.project import DEPENDENCIES, HOME, IGNORED, OWN, Project, base_name, project, suits
from madang.node.images.build.settings import PATH, Settings
from madang.node.images.build.steps import Plan, Source, Stage
from madang.node.images.holders import of_this_process
from madang.node.images.image import Image
from madang.node.images.place import opened
from madang.node.images.store import Store

STAGE = "python"
Fill = Callable[[Path, Path, Callable[[str], None]], Awaitable[None]]  # (the layer, a folder of one's own, lines)


@dataclass(frozen=True, slots=True)
class Asked:
    """`base` is empty for the official image of the Python that the folder asks for; `epoch` is SOURCE_DATE_EPOCH."""

    folder: Path
    names: tuple[str, ...] = ()
    base: str = ""
    epoch: int | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What a build stands on, once it is found."""

    project: Project
    context: Context
    python: Python
    root: Image
    ref: str
    created: str

    @property
    def seconds(self) -> int:
        return int(datetime.fromisoformat(self.created).timestamp())


async def build(asked: Asked, home: Path, tell: Callable[[Told], None], say: Callable[[str], None]) -> Image:
    """`home` is a courtyard's: the image goes to the store that it shares, the cache keeps what was made. `say` gets
    the one line about how the image starts."""
    store, cache = opened(home), Cache.of(home)
    ground = found(asked, store)
    say(ground.project.starts)
    holder = of_this_process()
    store.hold(ground.root, holder)
    try:
        with cache.used(after_build):
            made = await Making(asked, ground, cache, tell).layers()
            planned = plan(ground, made, json.loads(store.layout.blob(ground.root.id).read_bytes()))
            return await stored(store, cache, planned, ground.root, [one for _, one in made], asked.names)
    finally:
        store.release(ground.root.digest, holder)


def found(asked: Asked, store: Store) -> Ground:
    own = asked.folder / ".dockerignore"
    context = Context(asked.folder, Ignore(IGNORED + (own.read_text() if own.is_file() else "")))
    told = project([path for path, _ in context.walk("")], partial(read, asked.folder))
    ref = asked.base or base_name(told.python, sys.version_info[:2])
    try:
        root = base(store, ref, platform())
    except NoBase as error:
        way = "" if asked.base else "; or name another with --base"
        raise NoBase(f"{error}{way}", error.ref) from error
    created = EPOCH if asked.epoch is None else moment(asked.epoch)
    python = interpreter.found(root, ref)
    if not suits(told.python, python.version):
        least = told.python.removesuffix("+")
        raise Refused(
            0, f'pyproject.toml: project.requires-python: at least {least}, "{ref}" has Python {python.version}'
        )
    return Ground(told, context, python, root, ref, created)


def read(folder: Path, path: str) -> str | None:
    try:
        return (folder / path).read_text()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


class Making:
    """The layers of one build, each taken from the cache where it is known."""

    def __init__(self, asked: Asked, ground: Ground, cache: Cache, tell: Callable[[Told], None]) -> None:
        self.asked, self.ground, self.cache, self.tell = asked, ground, cache, tell

    async def layers(self) -> list[tuple[str, Made]]:
        """(title, layer), the lowest first."""
        wanted, python = self.ground.project.requirements, self.ground.python
        what = (self.ground.seconds, python)
        found: list[tuple[str, Made]] = []
        steps = 2 if wanted.any else 1
        if wanted.any:
            title = f"dependencies of {wanted.origin} for Python {python.version}"
            name = key("", "wheels", *what, wanted.lines, wanted.constraints)
            found.append((title, await self.layer(name, (STAGE, 1, steps, title), self.dependencies)))
        title = f"application in {HOME}"
        told = self.ground.project
        name = key("", "application", *what, told.scripts, told.metadata, self.ground.context.digest((".",)))
        found.append((title, await self.layer(name, (STAGE, steps, steps, title), self.application)))
        return found

    async def layer(self, name: str, told: tuple[str, int, int, str], fill: Fill) -> Made:
        known = None if self.asked.fresh else await asyncio.to_thread(self.cache.find, name)
        if known is not None:
            self.tell(Told("cached", *told))
            return known
        self.tell(Told("begun", *told))
        with self.cache.work() as work:
            upper = work / "upper"
            upper.mkdir(mode=0o755)
            await fill(upper, work, lambda line: self.tell(Told("line", *told, line=line)))
            made = await asyncio.to_thread(self.kept, name, upper, work / "blob")
        self.tell(Told("done", *told))
        return made

    def kept(self, name: str, upper: Path, blob: Path) -> Made:
        return self.cache.keep(name, upper, blob, layers.pack(upper, blob))

    async def dependencies(self, upper: Path, work: Path, line: Callable[[str], None]) -> None:
        ground = self.ground
        target = upper / DEPENDENCIES.lstrip("/")
        await wheels.install(ground.project.requirements, ground.python, self.asked.folder, target, work, line)
        await asyncio.to_thread(even, upper, ground.seconds)

    async def application(self, upper: Path, work: Path, line: Callable[[str], None]) -> None:
        await asyncio.to_thread(self.copied, upper)

    def copied(self, upper: Path) -> None:
        """The folder's files with their modes, and beside them what the project says of itself."""
        project, seconds = self.ground.project, self.ground.seconds
        own = upper / OWN.lstrip("/")
        for script in project.scripts:
            program = own / "bin" / script.name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(script.text(self.ground.python.path))
            program.chmod(0o755)
        if project.metadata:
            about = own / f"{re.sub(r'[-_.]+', '_', project.name)}-{project.version}.dist-info"
            about.mkdir(parents=True)
            (about / "METADATA").write_text(project.metadata)
        even(upper, seconds)
        writer = Writer(Tree(upper), seconds)
        writer.inside(self.ground.context, "", writer.folder(HOME.lstrip("/")))


def even(upper: Path, seconds: int) -> None:
    """One owner, one moment, and modes that say no more than who may run what: the rest is chance."""
    for path, status in layers.walk(upper):
        os.chown(upper / path, 0, 0, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            runs = stat.S_ISDIR(status.st_mode) or status.st_mode & 0o100
            os.chmod(upper / path, 0o755 if runs else 0o644)
        os.utime(upper / path, (seconds, seconds), follow_symlinks=False)


def plan(ground: Ground, made: list[tuple[str, Made]], config: Mapping[str, Any]) -> Plan:
    """What the image says of itself. `config` is that of its base."""
    settings = Settings(config, ground.created)
    project = ground.project
    groups = ("runtime", "application")[-len(made) :]
    for (title, _), group in zip(made, groups):
        settings.told(title, layer=True)
        settings.full["history"][-1]["comment"] = f"madang.dev/group={group}"
    had = settings.env()
    folders = [folder for folder in (project.search, OWN, DEPENDENCIES, had.get("PYTHONPATH", "")) if folder]
    programs = f"{OWN}/bin:{DEPENDENCIES}/bin:{had.get('PATH') or PATH}"
    pairs = [("PATH", programs), ("PYTHONPATH", ":".join(folders)), ("PYTHONUNBUFFERED", "1")]
    settings.set_pairs("ENV", pairs)
    settings.set_workdir(HOME)
    if project.command:
        settings.set_command("ENTRYPOINT", project.command, keep_cmd=False)
    stage = Stage(0, STAGE, 0, Source(image=ground.ref), (), settings.full, "")
    return Plan((stage,))
