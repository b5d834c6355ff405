"""When to come back, and when not any more."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images.registry.patience import Patience, retry_after_s

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def test_delays() -> None:
    p = Patience(tries=9, first_s=1, most_s=10)
    assert [p.delay_s(n) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10] and p.delay_s(9) is None
    assert p.delay_s(1, 5) == 5 and p.delay_s(4, 5) == 8 and p.delay_s(1, 11) is None


@given(st.integers(1, 2000), st.none() | st.floats(0, 1e6))
def test_a_delay_is_bounded_and_never_before_it_is_wanted(failures: int, wanted: float | None) -> None:
    p = Patience(tries=1000)
    delay = p.delay_s(failures, wanted)
    assert (delay is None) == (failures >= 1000 or (wanted or 0) > p.most_s)
    assert delay is None or (wanted or 0) <= delay <= p.most_s


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("120", 120), ("Thu, 01 Jan 2026 12:00:30 GMT", 30), ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("", None), ("soon", None), ("-1", None), ("1" * 400, None), ("²", None),
    ],
)  # fmt: skip
def test_retry_after(text: str, found: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOW) == found
