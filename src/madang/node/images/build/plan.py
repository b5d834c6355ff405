"""From a Dockerfile to what is to be done. Pure.

In: the parsed file, a `Request` (arguments, target, platform), the configurations of the images it stands on, and
what the build's folder holds (`Contents`, asked for digests alone). Out: `Plan`, or `Wanted` where images are missing.
Only what the target stands on is planned. Raises `Refused` with the line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from madang.dockerfile.instructions import Meaning, meaning
from madang.dockerfile.parsing import Dockerfile, parse
from madang.dockerfile.refusal import Refused
from madang.node.images.build.keys import key
from madang.node.images.build.remotes import Remote
from madang.node.images.build.settings import Settings
from madang.node.images.build.stage import StageState
from madang.node.images.build.stages import Draft, Sketch, origins, sketch
from madang.node.images.build.steps import CONTEXT, SCRATCH, Base, Plan, Source, Stage, Wanted

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
SILENT = {*PROXIES, *(p.lower() for p in PROXIES), "SOURCE_DATE_EPOCH"}  # arguments that nothing has to declare
EPOCH = "1980-01-01T00:00:00Z"  # the first moment that every archive format can tell


@dataclass(frozen=True, slots=True)
class Request:
    """`created` is the moment that the image gives for itself and its files: chosen, never now, so that the same input
    gives the same digest."""

    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = "linux/amd64"
    created: str = EPOCH


class Contents(Protocol):
    """What lies in the build's folder: a digest over the files that `patterns` choose, their names, modes and links.
    Raises `FileNotFoundError` with the pattern where one that is no glob chooses nothing."""

    def digest(self, patterns: tuple[str, ...], parents: bool = False) -> str: ...

    def fetched(self, one: Remote) -> str:
        """What names the content of something that lies elsewhere."""
        ...


def plan(file: Dockerfile, request: Request, bases: Mapping[str, Base], contents: Contents) -> Plan | Wanted:
    drawn = sketch(file, request.args, request.target, request.platform)
    target = drawn.target(request.target)
    missing = sorted(refs(drawn, target) - set(bases))
    if missing:
        return Wanted(tuple(missing))
    planner = Planner(drawn, request, bases, contents)
    try:
        planner.stage(target)
    except Missing as one:  # named by an ONBUILD of an image
        return Wanted((one.ref,))
    unused = sorted(set(request.args) - drawn.declared - planner.declared - SILENT)
    said = (f"One or more build-args [{' '.join(unused)}] were not consumed",) if unused else ()
    return Plan(tuple(planner.done[at] for at in sorted(planner.done)), said)


class Missing(Exception):
    def __init__(self, ref: str) -> None:
        super().__init__(ref)
        self.ref = ref


def refs(drawn: Sketch, target: int) -> set[str]:
    """The images that the target stands on, as far as the Dockerfile itself tells."""
    found, todo, seen = set[str](), [target], set[int]()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        draft = drawn.drafts[at]
        sources = [drawn.origin(text, at, one.line) for one in draft.body for text in origins(one)]
        for source in (draft.base, *sources):
            if source.stage is not None:
                todo.append(source.stage)
            elif source != SCRATCH:
                found.add(source.image)
    return found


class Planner:
    """Plans a stage after those that it needs; each once."""

    def __init__(self, drawn: Sketch, request: Request, bases: Mapping[str, Base], contents: Contents) -> None:
        self.drawn, self.request, self.bases, self.contents = drawn, request, bases, contents
        self.done: dict[int, Stage] = {}
        self.states: dict[int, StageState] = {}
        self.declared: set[str] = set()

    def stage(self, at: int) -> Stage:
        if at not in self.done:
            draft = self.drawn.drafts[at]
            state = self.begun(draft)
            for one in (*self.triggers(draft, state), *draft.body):
                state.take(one)
            self.declared |= {name for name, _ in state.args}
            self.states[at] = state
            self.done[at] = Stage(
                at, draft.name, draft.line, draft.base, tuple(state.steps), state.settings.full, state.key
            )
        return self.done[at]

    def begun(self, draft: Draft) -> StageState:
        """The state that a stage inherits: from another stage its arguments, too."""
        if draft.base.stage is not None:
            self.stage(draft.base.stage)
            state = self.states[draft.base.stage].child(draft.index)
            state.settings.take_triggers()
            return state
        if draft.base == SCRATCH:
            settings = Settings.scratch(self.request.platform, self.request.created)
        else:
            settings = Settings(self.base(draft.base.image).config, self.request.created)
        return StageState(self, draft.index, settings, self.origin_key(draft.base))

    def triggers(self, draft: Draft, state: StageState) -> list[Meaning]:
        """ONBUILD of the base image: they come first, and count as the FROM's line."""
        found: list[Meaning] = []
        for text in state.settings.take_triggers():
            try:
                file = parse(text)
                found += [meaning(one, file.escape) for one in file.instructions]
            except Refused as error:
                raise Refused(draft.line, f"ONBUILD {text} of the base image: {error.message}") from error
        return found

    def base(self, ref: str) -> Base:
        if ref not in self.bases:
            raise Missing(ref)
        return self.bases[ref]

    def source(self, text: str, below: int, line: int) -> Source:
        return self.drawn.origin(text, below, line) if text else CONTEXT

    def origin_key(self, source: Source) -> str:
        """What names the files of a stage or an image."""
        if source.stage is not None:
            return self.stage(source.stage).key
        return key("", "image", "" if source == SCRATCH else self.base(source.image).id)

    def arg(self, name: str) -> str | None:
        """The value that the person gives."""
        return self.request.args.get(name)

    def proxies(self) -> tuple[tuple[str, str], ...]:
        """Seen by every RUN in both spellings, and in no key."""
        given = {name.upper(): v for name, v in self.request.args.items() if name.upper() in PROXIES}
        return tuple((n, v) for name, v in sorted(given.items()) for n in (name, name.lower()))
