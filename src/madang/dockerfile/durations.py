"""Go's durations (`1m30s`, `1.5h`, `300ms`), which a Dockerfile's HEALTHCHECK and the images' configs speak. Pure.

In: text. Out: nanoseconds, and back as Go prints them. ValueError for anything else.
"""

import re

UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def nanoseconds(text: str) -> int:
    if text in ("0", "+0", "-0"):
        return 0
    sign, rest = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    parts = PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest or len(text) - len(rest) > 1:
        raise ValueError(f'expected a duration like "30s" or "1m30s", found "{text}"')
    total = 0
    for number, unit in parts:
        whole, _, broken = number.partition(".")
        total += int(whole or 0) * UNITS[unit]
        total += int(broken or 0) * UNITS[unit] // 10 ** len(broken)
    return sign * total


def spelled(nanos: int) -> str:
    """As Go's Duration.String."""
    if nanos == 0:
        return "0s"
    if nanos < 10**9:
        unit = next(u for u in ("ms", "µs", "ns") if nanos >= UNITS[u])
        return f"{decimal(nanos, UNITS[unit])}{unit}"
    minutes, rest = divmod(nanos, UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    out = f"{hours}h" if hours else ""
    out += f"{minutes}m" if hours or minutes else ""
    return f"{out}{decimal(rest, 10**9)}s"


def decimal(value: int, unit: int) -> str:
    whole, broken = divmod(value, unit)
    tail = str(broken).zfill(len(str(unit)) - 1).rstrip("0") if broken else ""
    return f"{whole}.{tail}" if tail else str(whole)
