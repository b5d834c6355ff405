"""The stop signal waits until no slice leads to the container, and a moment longer, but never for ever."""

from hypothesis import given
from hypothesis import strategies as st

from madang.node.pod import actions as do
from madang.node.pod.facts import Container, Facts, Now, Stop
from madang.node.pod.spec import Role
from madang.node.pod.stopping import LEAVE_S, MOST_S, put_off, signal_by_s, step
from madang.node.runtimes.runtime import Running

ROLE = Role("main", {"name": "c"})


def signalled_at(grace_s: float, leads_until_s: float) -> tuple[float, list[float]]:
    """When the signal comes for a stop that begins at 0, and when it was looked at."""
    stop = Stop(LEAVE_S, LEAVE_S + grace_s, signal_by_s(LEAVE_S, LEAVE_S + grace_s))
    c = Container(attempt=0, running=Running("c", 1, 1, 0.0), stop=stop)
    facts, now, looks = Facts(containers={"c": c}), 0.0, []
    while True:
        looks.append(now)
        put_off(facts, Now(now, now), now < leads_until_s)
        (action,) = step(ROLE, c, Now(now, now))
        if isinstance(action, do.WakeAt):
            assert action.at_s > now
            now = action.at_s
            continue
        assert isinstance(action, do.Signal)
        return now, looks


def test_a_moment_after_the_slices_have_changed() -> None:
    at, _ = signalled_at(30.0, 0.004)
    assert LEAVE_S <= at <= LEAVE_S + 0.01
    at, looks = signalled_at(30.0, 0.4)
    assert 0.4 + LEAVE_S - 0.005 <= at <= 0.4 + LEAVE_S + 0.005
    assert len(looks) < 100


def test_who_is_led_to_nowhere_waits_only_the_usual_moment() -> None:
    assert signalled_at(30.0, 0.0) == (LEAVE_S, [0.0, LEAVE_S])


@given(st.floats(0.1, 60.0), st.floats(0.0, 1e6))
def test_never_longer_than_half_of_the_grace_nor_than_the_most(grace_s: float, leads_until_s: float) -> None:
    at, _ = signalled_at(grace_s, leads_until_s)
    assert at <= LEAVE_S + min(MOST_S, grace_s / 2) + 0.001
    assert at < LEAVE_S + grace_s
