"""RFC 3339 both ways, and ages as tables show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds import ages, times


def test_formats() -> None:
    assert times.format_seconds(0) == "1970-01-01T00:00:00Z"
    assert times.format_seconds(1795351175.9) == "2026-11-22T12:39:35Z"
    assert times.format_micros(1.5) == "1970-01-01T00:00:01.500000Z"


def test_parses_offsets_and_fractions() -> None:
    assert times.parse("1970-01-01T01:00:00+01:00") == 0
    assert times.parse("1970-01-01T00:00:00.25Z") == 0.25
    assert times.parse("1970-01-01T00:00:00-00:01") == 60


@given(st.integers(min_value=0, max_value=4102444800 * 1_000_000))
def test_micros_come_back(micros: int) -> None:
    assert round(times.parse(times.format_micros(micros / 1_000_000)) * 1_000_000) == micros


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", 'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"'),
        ("2026-1-1", 'parsing time "2026-1-1" as "2006-01-02T15:04:05Z07:00": cannot parse "1-1" as "01"'),
        ("", 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'),
        ("2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'),
    ],
)
def test_says_what_is_wrong_as_go_does(text: str, message: str) -> None:
    with pytest.raises(times.TimeError) as caught:
        times.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"),
        (600, "10m"), (10799, "179m"), (10800, "3h"), (10860, "3h1m"), (28800, "8h"), (172799, "47h"),
        (172800, "2d"), (176400, "2d1h"), (691200, "8d"), (63071999, "729d"), (63072000, "2y"), (63158400, "2y1d"),
        (252288000, "8y"), (300000000, "9y"),
    ],
)  # fmt: skip
def test_ages(seconds: float, text: str) -> None:
    assert ages.human(seconds) == text


def test_age_of_nothing() -> None:
    assert ages.since(None, 10) == "<unknown>"
    assert ages.since("1970-01-01T00:00:00Z", 10) == "10s"
