import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dockerfile.durations import nanoseconds, spelled


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0", 0), ("30s", 30 * 10**9), ("1.5h", 5400 * 10**9), ("1m0.5s", 60_500_000_000), ("-2ms", -2e6)],
)
def test_reading(text: str, wanted: float) -> None:
    assert nanoseconds(text) == wanted


@pytest.mark.parametrize("text", ["", "5", "s", "1 s", "--1s", "1x"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        nanoseconds(text)


def test_as_go_prints_them() -> None:
    found = [spelled(n) for n in (0, 1, 1500, 2_500_000, 10**9, 90 * 10**9, 3600 * 10**9)]
    assert found == ["0s", "1ns", "1.5µs", "2.5ms", "1s", "1m30s", "1h0m0s"]


@given(st.integers(0, 10**15))
def test_there_and_back(nanos: int) -> None:
    assert nanoseconds(spelled(nanos)) == nanos
