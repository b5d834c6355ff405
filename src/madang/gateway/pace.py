"""How often HAProxy may be started anew: a few at once, then one every half second.

In: the hour. Out: how long to wait. Pure: a bucket of tokens.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """`burst` reloads may follow each other at once; each comes back after `every_s`."""

    every_s: float = 0.5
    burst: float = 3.0
    _tokens: float = 3.0
    _at_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        self._fill(now_s)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) * self.every_s

    def spend(self, now_s: float) -> None:
        self._fill(now_s)
        self._tokens -= 1

    def _fill(self, now_s: float) -> None:
        self._tokens = min(self.burst, self._tokens + max(0.0, now_s - self._at_s) / self.every_s)
        self._at_s = now_s
