"""Pauses and durations as a kubelet has them."""

from itertools import accumulate, repeat

import pytest

from madang.node.pulling import words


def test_pauses_double_until_five_minutes() -> None:
    grown = list(accumulate(repeat(0.0, 8), lambda pause, _: words.next_pause_s(pause)))
    assert grown == [0, 10, 20, 40, 80, 160, 300, 300]


@pytest.mark.parametrize(
    ("span_s", "text"),
    [
        (0, "0s"), (0.0004, "0s"), (0.35, "350ms"), (1, "1s"), (1.5, "1.5s"), (59.9999, "59.999s"), (60, "1m0s"),
        (62.5, "1m2.5s"), (3601, "1h0m1s"),
    ],
)  # fmt: skip
def test_durations(span_s: float, text: str) -> None:
    assert words.seconds(span_s) == text


def test_what_a_pull_says() -> None:
    said = words.pulled("redis:7", 0.35, 1.5, 42)
    assert said == 'Successfully pulled image "redis:7" in 350ms (1.5s including waiting). Image size: 42 bytes.'
    assert words.backing_off("x", "no") == 'Back-off pulling image "x": ErrImagePull: no'
