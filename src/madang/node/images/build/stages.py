"""A Dockerfile as stages: what stands before the first FROM, and below each. Pure.

In: a parsed Dockerfile, build arguments, the platform. Out: `Sketch`: for each stage its base and its instructions,
which other stages and images it names, and the values of global arguments.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from madang.dockerfile.instructions import Command, Copy, From, Meaning, Pairs, meaning
from madang.dockerfile.parsing import Dockerfile
from madang.dockerfile.refusal import Refused
from madang.dockerfile.words import expanded
from madang.node.images.build.mounts import origin_of
from madang.node.images.build.steps import Source


@dataclass(frozen=True, slots=True)
class Draft:
    """A stage as written: `base` is resolved, the instructions are not."""

    index: int
    name: str
    line: int
    base: Source
    body: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """`known` are the predefined and the global arguments; `declared` every name that any ARG gives."""

    drafts: tuple[Draft, ...]
    known: Mapping[str, str]
    declared: frozenset[str]
    escape: str

    def origin(self, text: str, below: int, line: int) -> Source:
        """What `--from=` names, seen from the stage with the number `below`."""
        if "$" in text:
            hint = "name a stage with FROM $... AS name and use that name"
            raise Refused(line, f"'--from' doesn't support variables ({text}): {hint}")
        for draft in self.drafts:
            if text.lower() == draft.name or text == str(draft.index):
                if draft.index >= below:
                    raise Refused(line, f'cannot copy from stage "{text}", it needs to be defined before current stage')
                return Source(stage=draft.index)
        if text.isdigit():
            raise Refused(line, f"invalid from flag value {text}: there are {len(self.drafts)} stages, the first is 0")
        return Source(image=text)

    def target(self, name: str) -> int:
        """The stage to build: by its name or number, else the last."""
        if not name:
            return len(self.drafts) - 1
        found = [d.index for d in self.drafts if name.lower() == d.name]
        if found:
            return found[-1]
        if name.isdigit() and int(name) < len(self.drafts):
            return int(name)
        names = [d.name for d in self.drafts if d.name]
        near = get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"stages: {', '.join(names) or 'none has a name'}"
        raise Refused(0, f'target stage "{name}" could not be found; {hint}')


def sketch(file: Dockerfile, args: Mapping[str, str], target: str, platform: str) -> Sketch:
    known, declared, drafts = predefined(platform, target), set[str](), list[Draft]()
    head: From | None = None
    body: list[Meaning] = []
    for one in file.instructions:
        found = meaning(one, file.escape)
        if isinstance(found, Pairs) and found.name == "ARG":
            declared |= {name for name, _ in found.pairs}
        if isinstance(found, From):
            if head is not None:
                drafts.append(draft(head, body, drafts, known, platform, file.escape))
            head, body = found, []
        elif head is not None:
            body.append(found)
        elif isinstance(found, Pairs) and found.name == "ARG":
            declare(found, known, args, file.escape)
        else:
            raise Refused(one.line, f"no build stage in current context: {one.name} stands before the first FROM")
    if head is None:
        raise Refused(0, "the Dockerfile has no FROM")
    drafts.append(draft(head, body, drafts, known, platform, file.escape))
    return Sketch(tuple(drafts), known, frozenset(declared), file.escape)


def predefined(platform: str, target: str) -> dict[str, str]:
    os, architecture, *variant = platform.split("/")
    parts = {"PLATFORM": platform, "OS": os, "ARCH": architecture, "VARIANT": variant[0] if variant else ""}
    sides = {f"{side}{name}": value for side in ("BUILD", "TARGET") for name, value in parts.items()}
    return {**sides, "TARGETSTAGE": target or "default"}


def declare(found: Pairs, known: dict[str, str], args: Mapping[str, str], escape: str) -> None:
    """A global ARG: the given value, else its default, else what is predefined."""
    for name, default in found.pairs:
        if name in args:
            known[name] = args[name]
        elif default is not None:
            known[name] = expanded(default, known, escape, found.line)


def draft(
    head: From, body: list[Meaning], before: list[Draft], known: Mapping[str, str], platform: str, escape: str
) -> Draft:
    image = expanded(head.image, known, escape, head.line)
    if not image:
        raise Refused(head.line, f"base name ({head.image}) should not be blank: a variable in it has no value")
    wanted = expanded(head.platform, known, escape, head.line)
    if wanted and normal(wanted) != normal(platform):
        raise Refused(head.line, f"FROM --platform={wanted}: only {platform} can be built on this machine")
    base = next((Source(stage=d.index) for d in reversed(before) if d.name and d.name == image), Source(image=image))
    return Draft(len(before), head.name, head.line, base, tuple(body))


def normal(platform: str) -> str:
    os, _, rest = platform.lower().rpartition("/") if platform.count("/") == 1 else platform.lower().partition("/")
    names = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "arm64/v8": "arm64"}
    return f"{os or 'linux'}/{names.get(rest, rest)}"


def origins(one: Meaning) -> list[str]:
    """What an instruction names with `--from`."""
    if isinstance(one, Copy):
        return [one.stage] if one.stage else []
    mounts = one.mounts if isinstance(one, Command) else ()
    return [name for name in map(origin_of, mounts) if name]
