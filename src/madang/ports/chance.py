"""Chance as a port: random numbers, generated names and uids, so that one seed gives one history."""

import random
from typing import Protocol

# The letters of Kubernetes' generated names: no vowels and no look-alikes (apimachinery util/rand).
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Chance(Protocol):
    def random(self) -> float:
        """A number in [0, 1)."""
        ...

    def suffix(self, length: int = 5) -> str:
        """The random tail of a generated name."""
        ...

    def uid(self) -> str:
        """A new object's uid (a version 4 UUID)."""
        ...


class SystemChance:
    """Real chance; with a seed, the same history every time."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def suffix(self, length: int = 5) -> str:
        return "".join(self._random.choices(LETTERS, k=length))

    def uid(self) -> str:
        bits = self._random.getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 0x2 << 62
        text = f"{bits:032x}"  # by hand: uuid.UUID takes five times as long, and every object needs one
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
