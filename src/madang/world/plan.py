"""What a seed holds in store: what the user asks and what strikes, with its time, drawn before anything runs.

In: a seed. Out: a `Plan`. A plan with fewer deeds is a plan as well: that is how the shortest story is found.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from madang.world.clock import dice

HEAL_S = 9.0
SERVICES = ("web", "cart", "pay")
# strikes that no service may notice
QUIET = ("kill", "kill in fsync", "kill in fsync", "leave", "disk full", "disk full", "disk slow", "watch cut", "clock")
# strikes that hit programs, nodes and pods
LOUD = (
    *("crash", "memory", "hang", "lie", "cannot start", "machine refuses", "no address"),
    *("cordon", "vanish", "break node", "break node", "delete pod", "delete pod"),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """`name` is a function of `asks` or `strikes`; `chance` seeds what it draws by itself."""

    at_s: float
    asked: bool
    name: str
    what: tuple[Any, ...]
    chance: int

    def __str__(self) -> str:
        what = ", ".join(f"{w:g}" if isinstance(w, float) else str(w) for w in self.what)
        return f"{self.at_s:7.3f} s  {'asked ' if self.asked else 'struck'}  {self.name}{': ' + what if what else ''}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`calm`: nothing strikes programs, nodes and pods, so that availability must hold throughout. `audited`: in the
    end it is looked at what the house still holds."""

    seed: int
    calm: bool
    window: int
    deeds: tuple[Deed, ...]
    audited: bool = False


def plan(seed: int) -> Plan:
    chance = dice(seed, "plan")
    calm = chance.random() < 0.4
    deeds = [*_begin(chance), *_asks(chance, calm), *_strikes(chance, calm)]
    window = chance.choice((4, 12, 60, 10_000))
    return Plan(seed, calm, window, tuple(sorted(deeds, key=lambda d: d.at_s)), chance.random() < 0.15)


def rollout(seed: int) -> Plan:
    """A rollout of each of the three services under faults, and nothing beside it: how quick the world is is told by
    such a story."""
    chance = dice(seed, "rollout")
    calm = chance.random() < 0.4
    news = [_deed(chance, 2.0 + 5.0 * chance.random(), True, "roll out", name, "v2") for name in SERVICES]
    deeds = [*_begin(chance), *_settings(chance), *news, *_strikes(chance, calm)]
    return Plan(seed, calm, chance.choice((4, 12, 60, 10_000)), tuple(sorted(deeds, key=lambda d: d.at_s)))


def mortal(seed: int, steps: Sequence[int] = ()) -> Plan:
    """The same services, and a control process that is killed after so many of its steps, life after life."""
    chance = dice(seed, "mortal")
    deeds = [*_begin(chance), *_asks(chance, True)]
    if steps:
        deeds.append(Deed(0.0, False, "kill after", tuple(steps), 0))
    return Plan(seed, True, 10_000, tuple(sorted(deeds, key=lambda d: d.at_s)))


def _deed(chance: random.Random, at_s: float, asked: bool, name: str, *what: Any) -> Deed:
    return Deed(at_s, asked, name, what, chance.getrandbits(32))


def _begin(chance: random.Random) -> list[Deed]:
    deeds = []
    for name in SERVICES:
        at = 0.3 + 0.5 * chance.random()
        size, unavailable = chance.choice((1, 2, 2, 3)), chance.choice((0, 0, 1))
        deeds.append(_deed(chance, at, True, "create service", name, size, unavailable))
    return deeds


def _asks(chance: random.Random, calm: bool) -> list[Deed]:
    deeds = []
    for name in SERVICES:
        for version in range(2, 2 + chance.choice((0, 1, 1, 2))):
            deeds.append(_deed(chance, 2.0 + 5.0 * chance.random(), True, "roll out", name, f"v{version}"))
    deeds.append(_deed(chance, 0.5 + 4.0 * chance.random(), True, "run job", "tidy", chance.choice((1, 2, 4))))
    for _ in range(2):
        deeds.append(_deed(chance, 1.0 + 6.0 * chance.random(), True, "write notes", chance.randrange(2, 8)))
    if not calm:
        more: tuple[tuple[Any, ...], ...] = (
            ("scale", chance.choice(SERVICES), chance.choice((0, 1, 3, 4))),
            ("remove service", chance.choice(SERVICES), chance.choice(("Background", "Foreground"))),
            ("whole namespace", "side"),
        )
        for ask in chance.sample(more, chance.randrange(0, 4)):
            deeds.append(_deed(chance, 2.0 + 5.0 * chance.random(), True, *ask))
    return deeds + _settings(chance) + _load(chance, {d.what[0] for d in deeds if d.name == "scale"})


def _settings(chance: random.Random) -> list[Deed]:
    """Pods of `cart` wait for them, or not."""
    times = [0.1 + 2.0 * chance.random() ** 3, *(2.0 + 5.0 * chance.random() for _ in range(chance.randrange(3)))]
    return [_deed(chance, at, True, "configure", level) for level, at in enumerate(sorted(times), 1)]


def _load(chance: random.Random, scaled: Collection[str]) -> list[Deed]:
    """Now and then a service's size is an autoscaler's."""
    name, least = chance.choice(SERVICES), chance.choice((1, 2))
    if chance.random() > 0.3 or name in scaled:
        return []
    deeds = [_deed(chance, 1.5 + 2.0 * chance.random(), True, "autoscale", name, least, 4)]
    for _ in range(chance.choice((1, 2))):
        deeds.append(_deed(chance, 2.0 + 5.0 * chance.random(), True, "load", name, chance.choice((1, 2, 3, 4, 5))))
    return deeds


def _strikes(chance: random.Random, calm: bool) -> list[Deed]:
    found = [_strike(chance, "kill") for _ in range(chance.choice((0, 1, 1, 2)))]
    kinds = QUIET if calm else QUIET + LOUD + LOUD
    return found + [_strike(chance, chance.choice(kinds)) for _ in range(chance.randrange(1, 4 if calm else 7))]


def _strike(chance: random.Random, name: str) -> Deed:
    what: tuple[Any, ...] = ()
    if name == "kill":
        what = (chance.randrange(1, 1500),)
    elif name == "kill in fsync":
        what = (chance.choice(("lost", "torn", "whole")),)
    elif name == "clock":
        what = (chance.choice((1, -1)) * chance.choice((5.0, 3600.0, 86400.0)),)
    elif name in ("disk full", "disk slow", "machine refuses", "no address", "cannot start", "cordon", "lie", "hang"):
        what = (0.1 + 2.0 * chance.random(),)
    elif name == "break node":
        what = (chance.choice(("hang", "kill")), 0.1 + 12.0 * chance.random())
    elif name == "delete pod":
        grace = chance.choice((None, 0))
        what = (grace, chance.choice((0, 5, 40)) if grace == 0 else 0)
    return _deed(chance, 0.2 + (HEAL_S - 2.0) * chance.random(), False, name, *what)
