"""Hours as controllers write and read them: whole seconds, RFC 3339.

In: epoch seconds or such a text. Out: the other one.
"""

from madang.kinds.times import format_seconds, parse

stamp = format_seconds


def seconds(text: str | None) -> float:
    """0 for what isn't there."""
    return parse(text) if text else 0.0
