"""Hours as objects write them: RFC 3339 in UTC, whole seconds (metav1.Time).

In: epoch seconds or such a text. Out: the other one.
"""

from datetime import UTC, datetime


def stamp(at_s: float) -> str:
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str | None) -> float:
    """0 for what isn't there."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0
