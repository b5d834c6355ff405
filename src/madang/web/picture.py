"""The picture of the outer architecture, with lamps: what the page, `madang architecture` and the tour show. Pure.

    picture(snapshot(read({kind: [object, ...]}), machine(record))) -> Picture

In: facts (`reading.read` makes them from lists of the kinds in `reading.READERS`; `reading.machine` from a courtyard's
record, `{}` where none runs). Out: a frozen `Picture` of bands of lit elements; each has a lamp and one short reason,
as `Text` in both languages. `Picture.as_json(language)` is the same as plain values.

Lamps: `ok`; `busy`, something is on its way or below what is wanted; `failed`, somebody should look; `absent`, nothing
of it is here (or it is not built yet: `element.built`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from madang.web import lamps
from madang.web.elements import BANDS, Band, Element
from madang.web.facts import Snapshot
from madang.web.lamps import Lamp, Light
from madang.web.text import Language, Text
from madang.web.words import say

RANK: dict[Lamp, int] = {"absent": 0, "ok": 1, "busy": 2, "failed": 3}


@dataclass(frozen=True, slots=True)
class Lit:
    element: Element
    lamp: Lamp
    reason: Text
    parts: tuple["Lit", ...] = ()


@dataclass(frozen=True, slots=True)
class LitBand:
    band: Band
    elements: tuple[Lit, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    courtyard: str
    running: bool
    bands: tuple[LitBand, ...]

    def every(self) -> Iterator[Lit]:
        """All elements and their parts, in reading order."""
        for band in self.bands:
            for lit in band.elements:
                yield lit
                yield from lit.parts

    def as_json(self, language: Language = "en") -> dict[str, Any]:
        return {
            "courtyard": self.courtyard,
            "running": self.running,
            "bands": [
                {
                    "key": b.band.key,
                    "name": b.band.name.of(language),
                    "elements": [plain(lit, language) for lit in b.elements],
                }
                for b in self.bands
            ],
        }


def plain(lit: Lit, language: Language) -> dict[str, Any]:
    one = lit.element
    return {
        "key": one.key,
        "name": one.name.of(language),
        "known_as": one.known_as.of(language),
        "here": one.here.of(language),
        "built": one.built,
        "lamp": lit.lamp,
        "reason": lit.reason.of(language),
        "parts": [plain(part, language) for part in lit.parts],
    }


def picture(snapshot: Snapshot) -> Picture:
    here = snapshot.machine
    bands = tuple(LitBand(band, tuple(lit(one, snapshot) for one in band.elements)) for band in BANDS)
    return Picture(here.courtyard, here.running, bands)


def lit(element: Element, snapshot: Snapshot) -> Lit:
    """An element with parts and no light of its own shines as the part that most needs to be looked at."""
    if not element.built:
        return Lit(element, "absent", say("not built"))
    parts = tuple(lit(part, snapshot) for part in element.parts)
    if not snapshot.machine.running:
        return Lit(element, "absent", say("not running"), parts)
    light = light_of(element, snapshot, parts)
    return Lit(element, light.lamp, light.reason, parts)


def light_of(element: Element, snapshot: Snapshot, parts: tuple[Lit, ...]) -> Light:
    own = lamps.LIGHTS.get(element.key)
    built = [p for p in parts if p.element.built]
    worst = max(built, key=lambda p: RANK[p.lamp], default=None)
    if own is None:
        assert worst is not None, f"{element.key}: neither a light of its own nor parts"
        return Light(worst.lamp, worst.reason)
    light = own(snapshot)
    if worst is not None and RANK[worst.lamp] > max(RANK[light.lamp], RANK["ok"]):
        return Light(worst.lamp, worst.reason)
    return light
