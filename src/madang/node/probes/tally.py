"""When a probe's answers become a verdict (pure), and when it is tried next.

A try that is *due* counts: at the initial delay plus a period, and every period from then. A startup or readiness
probe is also tried *early*, every 20 ms, until its first success: there only a success counts. Never before the
initial delay, though.
"""

from dataclasses import dataclass
from typing import Literal

from madang.ports.objects import Obj

ProbeKind = Literal["startup", "readiness", "liveness"]
EARLY_S = 0.02
# (seconds since the start, interval of early tries from then): who takes long to come up is asked less often.
_EARLY = ((30.0, 0.25), (5.0, 0.05), (0.0, EARLY_S))


@dataclass(frozen=True, slots=True)
class Terms:
    """A probe's numbers, with the API's defaults."""

    period_s: float
    delay_s: float
    timeout_s: float
    successes: int
    failures: int


def terms(probe: Obj) -> Terms:
    return Terms(
        period_s=float(probe.get("periodSeconds") or 10),
        delay_s=float(probe.get("initialDelaySeconds") or 0),
        timeout_s=float(probe.get("timeoutSeconds") or 1),
        successes=int(probe.get("successThreshold") or 1),
        failures=int(probe.get("failureThreshold") or 3),
    )


@dataclass(slots=True)
class Tally:
    """`due_s` and all other times are steady seconds."""

    kind: ProbeKind
    terms: Terms
    began_s: float
    due_s: float = 0.0
    won: bool = False
    in_a_row: int = 0  # successes if positive, failures if negative

    def __post_init__(self) -> None:
        # The first period passes before a failure counts: nothing answers at the moment of its start.
        first = self.terms.period_s if self.eager and not self.terms.delay_s else 0.0
        self.due_s = self.began_s + self.terms.delay_s + first

    @property
    def eager(self) -> bool:
        return self.kind != "liveness" and not self.won

    def take(self, ok: bool, tried_s: float) -> bool | None:
        """Take in a try that began at `tried_s`. The verdict, where there is one now."""
        due = tried_s >= self.due_s
        if due:
            self.due_s = max(self.due_s + self.terms.period_s, tried_s)
        if ok:
            if not due and self.terms.successes > 1:
                return None
            self.in_a_row = max(self.in_a_row, 0) + 1
            if self.in_a_row < self.terms.successes:
                return None
            if not self.won:
                self.won = True
                self.due_s = tried_s + self.terms.period_s
            return True
        if not due:
            return None
        self.in_a_row = min(self.in_a_row, 0) - 1
        return False if -self.in_a_row >= self.terms.failures else None

    def counts(self, tried_s: float) -> bool:
        return tried_s >= self.due_s

    def next_s(self, now_s: float, took_s: float) -> float:
        """When to try next. `took_s`: how long the last try took (what is slow to ask is asked less often)."""
        if not self.eager:
            return self.due_s
        passed = now_s - self.began_s
        interval = next(i for since, i in _EARLY if passed >= since)
        return min(now_s + max(interval, 2 * took_s), max(self.due_s, now_s + EARLY_S))
