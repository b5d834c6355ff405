"""How long ago, as the API's tables say it (apimachinery util/duration, HumanDuration).

In: seconds, or a time as an object holds it and the hour. Out: `5s`, `3m12s`, `2d4h`, `<unknown>`.
"""

from madang.kinds import times

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 31536000


def human(seconds: float) -> str:
    """Two units at most, the finer one only while it tells something."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    minutes, hours = whole // _MINUTE, whole // _HOUR
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(hours // 24, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{hours // 24}d"
    if hours < 24 * 365 * 8:
        return _two(whole // _YEAR, "y", whole // _DAY % 365, "d")
    return f"{whole // _YEAR}y"


def _two(more: int, unit: str, less: int, finer: str) -> str:
    return f"{more}{unit}{less}{finer}" if less else f"{more}{unit}"


def since(time: str | None, now: float) -> str:
    """The age of an RFC 3339 time."""
    return human(now - times.parse(time)) if time else "<unknown>"
