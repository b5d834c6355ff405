"""The root of a container as a plan: an image's layers below, a folder of its own above, merged by the kernel.

In: the folders of the layers, the newest first. Out: short links to them, and the options of the mount. The kernel
takes one page of options at most, and no colon or comma in a path: so the mount is made from within the start's
folder, where every layer has a name of two or three letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madang.node.runtimes.monitor.runc import ROOT

LINKS, UPPER, WORK = "l", "upper", "work"
MOST_LAYERS = 500  # overlayfs's own bound
PAGE = 4096


class TooManyLayers(ValueError):
    """More than the kernel stacks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`links`: name in the folder -> layer. `folders` are made there; `options` name things by these alone."""

    links: dict[str, str]
    folders: tuple[str, ...]
    options: str


def plan(layers: Sequence[Path | str]) -> Plan:
    """Raises TooManyLayers."""
    if not layers:  # an image of nothing (FROM scratch): the kernel wants something below
        return Plan({}, (f"{LINKS}/e", UPPER, WORK, ROOT), f"lowerdir={LINKS}/e,upperdir={UPPER},workdir={WORK}")
    links = {f"{LINKS}/{number:x}": str(layer) for number, layer in enumerate(layers)}
    options = f"lowerdir={':'.join(links)},upperdir={UPPER},workdir={WORK}"
    if len(links) > MOST_LAYERS or len(options) >= PAGE:
        raise TooManyLayers(f"the image has {len(links)} layers; at most {MOST_LAYERS} can be stacked")
    return Plan(links, (LINKS, UPPER, WORK, ROOT), options)
