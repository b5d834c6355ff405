"""When answers become verdicts: what counts, what is tried early, what never flaps."""

from hypothesis import given
from hypothesis import strategies as st

from madang.node.probes.tally import EARLY_S, Tally, Terms, terms
from madang.ports.objects import Obj


def tally(kind: str = "readiness", **probe: int) -> Tally:
    return Tally(kind, terms(probe), 0.0)  # type: ignore[arg-type]


def test_defaults_are_the_apis() -> None:
    assert terms({}) == Terms(10.0, 0.0, 1.0, 1, 3)


def test_an_early_failure_counts_for_nothing_and_an_early_success_for_all() -> None:
    t = tally(periodSeconds=1, failureThreshold=1)
    assert t.take(False, 0.0) is None
    assert t.take(False, 0.5) is None
    assert t.take(True, 0.52) is True
    assert t.due_s == 1.52


def test_failures_count_by_period() -> None:
    t = tally("startup", periodSeconds=1, failureThreshold=3)
    verdicts = [t.take(False, s / 10) for s in range(40)]
    assert next(i for i, v in enumerate(verdicts) if v is False) == 30


def test_a_ready_container_needs_the_threshold_to_become_unready() -> None:
    t = tally(periodSeconds=1, failureThreshold=2)
    assert t.take(True, 0.0) is True
    assert t.take(False, 1.0) is None
    assert t.take(True, 2.0) is True
    assert t.take(False, 3.0) is None
    assert t.take(False, 4.0) is False


def test_several_successes_are_asked_for_at_their_period() -> None:
    t = tally(periodSeconds=1, successThreshold=2)
    assert [t.take(True, s) for s in (0.0, 0.5)] == [None, None]
    assert [t.take(True, s) for s in (1.0, 2.0)] == [None, True]


def test_liveness_waits_for_its_delay_and_is_never_early() -> None:
    t = tally("liveness", periodSeconds=5, initialDelaySeconds=7)
    assert not t.eager
    assert t.due_s == 7.0
    assert t.next_s(1.0, 0.0) == 7.0


def test_early_tries_come_every_twenty_milliseconds_then_more_seldom() -> None:
    t = tally()
    assert t.next_s(0.0, 0.0) == EARLY_S
    assert t.next_s(6.0, 0.0) == 6.05
    assert t.next_s(1.0, 0.1) == 1.2
    t.take(True, 1.0)
    assert t.next_s(1.0, 0.0) == 11.0


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 4), st.integers(1, 3))
def test_verdicts_follow_the_thresholds(answers: list[bool], failures: int, successes: int) -> None:
    probe: Obj = {"periodSeconds": 1, "failureThreshold": failures, "successThreshold": successes}
    t = Tally("readiness", terms(probe), 0.0)
    run, last = 0, None
    for n, ok in enumerate(answers, start=1):
        run = run + 1 if ok == last else 1
        last = ok
        verdict = t.take(ok, float(n))
        assert verdict == (True if ok and run >= successes else False if not ok and run >= failures else None)
