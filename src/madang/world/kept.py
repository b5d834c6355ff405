"""Stories that once broke an invariant, kept as lines of text, so that a test tells them again.

In: a plan that broke (the shortest one) and the sentence. Out: a line; and from lines `Kept` again. The deeds are kept,
not the seed alone: a seed tells another story once `plan` draws in another way.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from madang.world.plan import Deed, Plan

SENTENCE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """`broke`: what it broke then; `mended`: the day and what was wrong."""

    plan: Plan
    broke: str
    mended: str


def line(plan: Plan, broke: str) -> str:
    """To be copied into the file, with `mended` filled in."""
    deeds = [[d.at_s, d.asked, d.name, d.what, d.chance] for d in plan.deeds]
    told = {"seed": plan.seed, "broke": broke[:SENTENCE], "mended": "", **asdict(plan), "deeds": deeds}
    return orjson.dumps(told).decode()


def read(file: Path) -> Iterator[Kept]:
    for text in file.read_text().splitlines():
        told = orjson.loads(text)
        broke, mended = told.pop("broke"), told.pop("mended")
        told["deeds"] = tuple(
            Deed(at, asked, name, tuple(what), chance) for at, asked, name, what, chance in told["deeds"]
        )
        yield Kept(Plan(**told), broke, mended)
