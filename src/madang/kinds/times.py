"""The API's times: RFC 3339 text to epoch seconds and back, whole seconds (Time) or microseconds (MicroTime).

In: text or floats. Out: floats or text in UTC. Pure; `TimeError` carries the API's own words.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:(Z)|([+-])(\d\d):(\d\d))")
_LAYOUT = {False: "2006-01-02T15:04:05Z07:00", True: "2006-01-02T15:04:05.000000Z07:00"}


class TimeError(ValueError):
    """Not an RFC 3339 time."""


@lru_cache(4096)
def parse(text: str, micro: bool = False) -> float:
    """Epoch seconds of an RFC 3339 time; `micro` only chooses the layout that the message names."""
    match = _RFC3339.fullmatch(text)
    if not match:
        raise TimeError(_fault(text, micro))
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    offset = timedelta()
    if match[9]:
        offset = timedelta(hours=int(match[10]), minutes=int(match[11])) * (-1 if match[9] == "-" else 1)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
    except ValueError as fault:
        raise TimeError(f'parsing time "{text}": {str(fault).split(" must")[0]} out of range') from fault
    return moment.timestamp() + (float(f"0.{match[7]}") if match[7] else 0.0)


def _fault(text: str, micro: bool) -> str:
    """As Go's time package says it: the part of the layout that the text does not follow."""
    layout = _LAYOUT[micro]
    shapes = (("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"),
              ("15", r"\d{1,2}"), (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(?:[.,]\d+)?"),
              ("Z07:00", r"Z|[+-]\d\d:\d\d"))  # fmt: skip
    rest = text
    for element, shape in shapes:
        found = re.match(shape, rest)
        if not found:
            return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{element}"'
        rest = rest[found.end() :]
    return f'parsing time "{text}": extra text: "{rest}"'


@lru_cache(256)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_seconds(at: float) -> str:
    """`2026-11-22T12:36:15Z`."""
    return _second(int(at // 1))


def format_micros(at: float) -> str:
    """`2026-11-22T12:36:15.123456Z`."""
    micros = round(at * 1_000_000)
    return f"{_second(micros // 1_000_000)[:-1]}.{micros % 1_000_000:06d}Z"
