"""A plan carried out: stages that do not wait for each other at the same time, steps known before not at all.

In: a `Plan`, a `Bench` (the build's folder, images, cache, runner). Out: a layer for each step of the target, and what
happened as `Told` values. A step's result is kept under its key as soon as it is whole, so that a build that is cut
in the middle goes on from there.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from madang.node.building import layers
from madang.node.building.cache import Cache, Made
from madang.node.building.copying import Failed, copy, make_folder
from madang.node.building.fetching import Fetching
from madang.node.building.overlay import merged
from madang.node.building.owners import who
from madang.node.building.runner import Order, Runner, Unable
from madang.node.building.trees import Context, Tree
from madang.node.building.visible import Sight, points, visible
from madang.node.images.build.steps import SCRATCH, Files, Folder, Plan, Run, Source, Stage, Step
from madang.node.images.image import Image
from madang.node.runtimes.oci.users import NoSuchUser


@dataclass(frozen=True, slots=True)
class Told:
    """`what` is begun, cached, line, done. `step` is its title, `stage` the stage's name or number."""

    what: str
    stage: str
    number: int
    steps: int
    title: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """`seconds` is the moment for all files; `clamp` says that programs' files get none after it, too."""

    context: Context
    images: Mapping[str, Image]
    cache: Cache
    runner: Runner
    fetching: Fetching
    seconds: int
    clamp: bool = False
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    fresh: bool = False
    tell: Callable[[Told], None] = lambda _: None


class Building:
    """One build. `made` are the layers of each stage's own steps."""

    def __init__(self, plan: Plan, bench: Bench) -> None:
        self.plan, self.bench = plan, bench
        self.stages = {stage.index: stage for stage in plan.stages}
        self.made: dict[int, list[Made]] = {}

    async def run(self) -> list[Made]:
        """The layers of the target above those of the image that it begins with. Raises `Failed`."""
        done = {stage.index: asyncio.Event() for stage in self.plan.stages}
        try:
            async with asyncio.TaskGroup() as tasks:
                for stage in self.plan.stages:
                    tasks.create_task(self.stage(stage, done), name=f"stage {stage.index}")
        except BaseExceptionGroup as group:
            raise cause(group) from group
        return self.whole(self.plan.target)

    async def stage(self, stage: Stage, done: Mapping[int, asyncio.Event]) -> None:
        for source in stage.needs():
            if source.stage is not None:
                await done[source.stage].wait()
        self.made[stage.index] = []
        for number, step in enumerate(stage.steps, 1):
            told = (stage.name or str(stage.index), number, len(stage.steps), step.title)
            found = None if self.bench.fresh else await asyncio.to_thread(self.bench.cache.find, step.key)
            if found is None:
                self.bench.tell(Told("begun", *told))
                found = await self.step(stage, step, told)
                self.bench.tell(Told("done", *told))
            else:
                self.bench.tell(Told("cached", *told))
            self.made[stage.index].append(found)
        done[stage.index].set()

    async def step(self, stage: Stage, step: Step, told: tuple[str, int, int, str]) -> Made:
        with self.bench.cache.work() as work:
            with ExitStack() as until:
                root = await asyncio.to_thread(until.enter_context, merged(self.folders(stage), work))
                match step:
                    case Run():
                        await self.program(step, root, work, told)
                    case Files():
                        await asyncio.to_thread(self.files, step, root, work)
                    case Folder():
                        await asyncio.to_thread(make_folder, step, Tree(root), self.bench.seconds)
            return await asyncio.to_thread(self.kept, step, work, self.folders(stage))

    def kept(self, step: Step, work: Path, below: list[Path]) -> Made:
        upper, blob = work / "upper", work / "blob"
        if self.bench.clamp or not isinstance(step, Run):
            layers.clamp(upper, self.bench.seconds)
        layers.prune(upper, below)
        return self.bench.cache.keep(step.key, upper, blob, layers.pack(upper, blob))

    def files(self, step: Files, root: Path, work: Path) -> None:
        with ExitStack() as until:
            if step.source.is_context:
                source: Tree = self.bench.context
            else:
                source = Tree(self.opened(step.source, work / "source", until))
            fetched = [self.bench.fetching.tree(one) for one in step.remotes]
            copy(step, source, Tree(root), self.bench.seconds, fetched)

    async def program(self, step: Run, root: Path, work: Path, told: tuple[str, int, int, str]) -> None:
        sight = Sight(self.bench.context, self.bench.cache, self.bench.secrets, self.opened, self.bench.seconds)
        with ExitStack() as until:
            binds, given = await asyncio.to_thread(until.enter_context, visible(step, sight, work))
            try:
                user = who(Tree(root), step.user)
            except NoSuchUser as error:
                raise Failed(step.line, f"{step.title}: {error}") from error
            env = {**dict(step.env), **dict(step.secretly), **given}
            if self.bench.clamp:
                env.setdefault("SOURCE_DATE_EPOCH", str(self.bench.seconds))
            until.enter_context(points(root, binds))
            order = Order(step.argv, tuple(env.items()), step.workdir, user, binds, step.network != "none")
            try:
                code = await self.bench.runner.run(
                    root, order, work, lambda line: self.bench.tell(Told("line", *told, line=line))
                )
            except Unable as error:
                raise Failed(step.line, f"{step.title}: {error}") from error
        if code:
            said = f'process "{" ".join(step.argv)}" did not complete successfully: exit code: {code}'
            raise Failed(step.line, said)

    def opened(self, source: Source, own: Path, until: ExitStack) -> Path:
        """Another stage's or image's files, merged for as long as `until`; what is written to them is forgotten."""
        if source.stage is not None:
            folders = self.folders(self.stages[source.stage])
        else:
            folders = self.base(source)
        own.mkdir(exist_ok=True)
        return until.enter_context(merged(folders, own))

    def folders(self, stage: Stage) -> list[Path]:
        """What a stage's next step stands on, the lowest first."""
        below = self.folders(self.stages[stage.base.stage]) if stage.base.stage is not None else self.base(stage.base)
        return [*below, *(made.folder for made in self.made[stage.index])]

    def base(self, source: Source) -> list[Path]:
        return [] if source == SCRATCH else [layer.folder for layer in self.bench.images[source.image].layers]

    def whole(self, stage: Stage) -> list[Made]:
        below = self.whole(self.stages[stage.base.stage]) if stage.base.stage is not None else []
        return [*below, *self.made[stage.index]]

    def root_image(self, stage: Stage) -> Image | None:
        """The image that a stage begins with, through all stages below it; None for scratch."""
        if stage.base.stage is not None:
            return self.root_image(self.stages[stage.base.stage])
        return None if stage.base == SCRATCH else self.bench.images[stage.base.image]


def cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Why a build failed: a step's own failure before anything else that happened beside it."""
    found = list(leaves(group))
    return next((one for one in found if isinstance(one, Failed)), found[0])


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from leaves(one)
        else:
            yield one
