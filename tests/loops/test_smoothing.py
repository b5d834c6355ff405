"""The mean of two seconds; the same sample asked for twice; pods that come and go."""

import pytest

from madang.loops.smoothing import Smoothing
from madang.ports.streams import PodUsage, Usage


class Fixed:
    """Says what the test put there."""

    def __init__(self) -> None:
        self.now: list[PodUsage] = []

    def put(self, at_s: float, **cores: float) -> None:
        self.now = [PodUsage("n", pod, {"c": Usage(at_s, 1.0, c, int(c * 100))}) for pod, c in cores.items()]

    def pods(self, namespace: str | None = None) -> list[PodUsage]:
        return self.now

    def pod(self, namespace: str, name: str) -> PodUsage | None:
        return None

    def node(self, name: str) -> Usage | None:
        return None


def test_the_mean_of_two_seconds() -> None:
    samples = Fixed()
    smooth = Smoothing(samples)

    def cores() -> dict[str, tuple[float, float]]:
        return {pod: (u.containers["c"].cpu_cores, u.containers["c"].window_s) for pod, u in smooth.pods("n").items()}

    samples.put(1, a=0.2)
    assert cores() == {"a": (0.2, 1.0)}
    samples.put(2, a=0.6, b=1.0)
    assert cores() == {"a": (pytest.approx(0.4), 2.0), "b": (1.0, 1.0)}
    assert cores() == {"a": (pytest.approx(0.4), 2.0), "b": (1.0, 1.0)}
    assert smooth.pods("n")["a"].containers["c"].memory_bytes == 60  # memory is what it is now
    samples.put(3, b=0.0)
    assert cores() == {"b": (0.5, 2.0)}
    samples.put(4, a=0.1, b=0.0)
    assert cores() == {"a": (0.1, 1.0), "b": (0.0, 2.0)}
