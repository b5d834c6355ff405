"""Chance as a port: random numbers, generated names and uids, so that one seed gives one history."""

import random
import uuid
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
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
