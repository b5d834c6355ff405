"""Images as piles of layers: what stands on what, how much each part weighs, and which pods run it. Pure.

In: a `Snapshot`. Out: a `Shelf`, the whole content of one fragment of the page. The groups are those of `madang image
history`: base, operating system, runtime, application; the application lies on top.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from madang.ports.streams import Stack, StackLayer
from madang.web.facts import Snapshot

GROUPS = ("application", "runtime", "operating system", "base")  # from the top
PILES = 8  # shown; the rest is counted
PODS = 4  # named of one image
STEP = 120  # letters of it
HEIGHTS = 5
UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Strip:
    """A layer within its group's slab: from `x` on, `width` wide, of a hundred."""

    x: float
    width: float
    size: str
    step: str


@dataclass(frozen=True, slots=True)
class Slab:
    """All layers of one group. `height` is one of `HEIGHTS` steps."""

    group: str
    size: str
    height: int
    strips: tuple[Strip, ...]

    @property
    def word(self) -> str:
        """For names of styles."""
        return self.group.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Pile:
    """An image. `pods` are the first that run it; `more` counts the others."""

    name: str
    others: int  # names that it has besides
    digest: str
    size: str
    slabs: tuple[Slab, ...]
    pods: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Shelf:
    piles: tuple[Pile, ...] = ()
    more: int = 0


def shelf(s: Snapshot) -> Shelf:
    """Those that pods run first."""
    running = users(s)
    order = sorted(s.stacks, key=lambda one: (not running.get(one.id), name_of(one), one.digest))
    chosen = order[:PILES]
    most = max((weight for one in chosen for weight in weights(one).values()), default=0)
    return Shelf(tuple(pile(one, running.get(one.id, []), most) for one in chosen), len(order) - len(chosen))


def users(s: Snapshot) -> dict[str, list[str]]:
    """Pods by the id of the image that a container of theirs runs."""
    found: dict[str, list[str]] = {}
    for one in s.instances:
        for image in {held.image_id for held in one.containers if held.running}:
            found.setdefault(image, []).append(one.name)
    return found


def pile(stack: Stack, pods: list[str], most: int) -> Pile:
    heavy = weights(stack)
    slabs = tuple(
        Slab(group, size_of(heavy[group]), height(heavy[group], most), strips(of(stack, group)))
        for group in GROUPS
        if group in heavy
    )
    return Pile(
        name_of(stack),
        max(0, len(stack.names) - 1),
        stack.digest.partition(":")[2][:12],
        size_of(stack.size_bytes),
        slabs,
        tuple(pods[:PODS]),
        max(0, len(pods) - PODS),
    )


def name_of(stack: Stack) -> str:
    return stack.names[0] if stack.names else stack.digest[:19]


def of(stack: Stack, group: str) -> list[StackLayer]:
    return [layer for layer in stack.layers if layer.group == group]


def weights(stack: Stack) -> dict[str, int]:
    return {group: sum(layer.size_bytes for layer in found) for group in GROUPS if (found := of(stack, group))}


def height(weight: int, most: int) -> int:
    """From 1 to `HEIGHTS`, by the root: a base weighs a thousand times what lies on it, and both are to be seen."""
    return 1 + round((HEIGHTS - 1) * sqrt(weight / most)) if most else 1


def strips(layers: Iterable[StackLayer]) -> tuple[Strip, ...]:
    """Each at least as wide as can be seen, together a hundred."""
    found = list(layers)
    total = sum(layer.size_bytes for layer in found)
    raw = [max(3.0, 100 * layer.size_bytes / total) if total else 1.0 for layer in found]
    scale, x, out = 100 / sum(raw), 0.0, []
    for layer, width in zip(found, raw, strict=True):
        wide = round(width * scale, 2)
        step = layer.step if len(layer.step) <= STEP else f"{layer.step[: STEP - 1]}…"
        out.append(Strip(round(x, 2), wide, size_of(layer.size_bytes), step))
        x += wide
    return tuple(out)


def size_of(count: float) -> str:
    """Decimal, three digits, as `madang image ls` writes it."""
    for unit in UNITS[:-1]:
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} {UNITS[-1]}"


def groups(stacks: Iterable[Stack]) -> Mapping[str, tuple[int, int]]:
    """(images that have it, bytes) of each group; a layer that several images share weighs once."""
    images: dict[str, int] = {}
    layers: dict[str, dict[str, int]] = {}
    for one in stacks:
        for group in {layer.group for layer in one.layers}:
            images[group] = images.get(group, 0) + 1
        for layer in one.layers:
            layers.setdefault(layer.group, {})[layer.diff_id] = layer.size_bytes
    return {group: (count, sum(layers[group].values())) for group, count in images.items()}
