"""Values -> HTML: the page's fragments by name, each made anew only when its value is another.

In: a `Snapshot` and a `Load`. Out: `values`, in the order in which they must be sent (what holds others comes first),
and `Renderer`, which writes one down in a language. Everything that a program or a user wrote is escaped by Jinja2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from madang.web import application, graph, meters, shelf
from madang.web.application import Card, Load, Row
from madang.web.facts import Snapshot
from madang.web.picture import RANK, Picture
from madang.web.text import LANGUAGES, Language
from madang.web.words import say

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Summary:
    """The line at the top: what a person who looks once should know."""

    lamp: str
    services: int
    ready: int
    instances: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Instances:
    """The lines of one service."""

    card: str
    name: str
    rows: tuple[Row, ...]
    more: int


def values(s: Snapshot, load: Load, shown: Picture) -> dict[str, Any]:
    """By name; a name's first part, up to a `-`, says which template it has. `shown` is the snapshot's picture."""
    cards = application.cards(s, load)
    found: dict[str, Any] = {"top": summary(shown, cards, s)}
    found |= {f"el-{lit.element.key}": lit for band in shown.bands for lit in band.elements}
    found["grounds"] = application.grounds(s)
    found["images"], found["containers"] = shelf.shelf(s), meters.meters(s, load)
    listing = application.listing(cards)
    found["listing"] = listing
    named = {(one.namespace, one.name): one for one in cards}
    for namespace, names in listing.projects:
        found[f"graph-{namespace}"] = graph.graph(s, namespace, [c for c in cards if c.namespace == namespace], load)
        for name in names:
            one = named[namespace, name]
            found[one.id] = replace(one, rows=(), more=0)
            found[f"rows-{one.id}"] = Instances(one.id, one.name, one.rows, one.more)
    found["events"] = application.recent(s.happenings)
    return found


def inside(name: str) -> bool:
    """Whether the fragment stands within the listing, and so is sent with it."""
    return name.startswith(("graph-", "svc-", "rows-"))


def summary(shown: Picture, cards: tuple[Card, ...], s: Snapshot) -> Summary:
    lamps = [lit.lamp for lit in shown.every() if lit.element.built] + [c.lamp for c in cards]
    worst = max(lamps, key=lambda lamp: RANK[lamp], default="absent")
    mine = [c for c in cards if c.kind != "Job"]
    ready, wanted = sum(c.ready for c in mine), sum(c.wanted for c in mine)
    return Summary(worst, len(cards), ready, wanted, len(s.grounds))


class Renderer:
    """One language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._environment = environment(language)

    def fragment(self, name: str, value: Any, whole: Mapping[str, Any]) -> str:
        """`whole` are all values, for a fragment that holds others."""
        kind = name.partition("-")[0]
        text = self._environment.get_template(f"{kind}.html").render(name=name, it=value, whole=whole, render=self)
        return text.strip()

    def page(self, template: str, **given: Any) -> str:
        return self._environment.get_template(f"{template}.html").render(render=self, **given)


class Compiled(BytecodeCache):
    """A template is compiled once, for all languages."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def warm() -> None:
    """Compiles all templates, for who would rather not do it on a loop's thread."""
    for language in LANGUAGES:
        for path in FOLDER.glob("*.html"):
            environment(language).get_template(path.name)


@cache
def environment(language: Language) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=COMPILED,
    )

    def t(key: str, **given: Any) -> str:
        return say(key, **given).of(language)

    made.globals.update(t=t, language=language, ident=application.ident, DOTS=application.DOTS)
    made.filters["of"] = lambda text: text.of(language)
    return made
