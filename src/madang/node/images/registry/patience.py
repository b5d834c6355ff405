"""How long a registry is waited for, and what is tried again.

In: how often something failed and what the answer said. Out: the seconds until the next try, or None: give up. Pure.
A registry that tells when to come back (Retry-After) is obeyed; if that is too far away we say so instead of waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    tries: int = 5
    first_s: float = 0.5
    most_s: float = 60
    connect_s: float = 10
    silence_s: float = 30  # without a single byte
    slow_s: float = 60  # a connection that brings less than `slow_bytes` in this time is given up
    slow_bytes: int = 64 << 10

    def delay_s(self, failures: int, retry_after_s: float | None = None) -> float | None:
        """After so many failures in a row (at least one)."""
        if failures >= self.tries or (retry_after_s or 0) > self.most_s:
            return None
        return max(retry_after_s or 0, min(self.most_s, self.first_s * 2.0 ** (failures - 1)))


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds or a date; None where there is neither."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
