"""When a container that ended may be started again.

In: how often in a row it ran for a short time only. Out: the delay. Immediate if its last run had been ready for
ten seconds, else one second, doubling to sixty.
"""

from madang.node.pod.facts import Container

LONG_RUN_S = 10.0
FIRST_S = 1.0
LAST_S = 60.0


def delay_s(short_runs: int) -> float:
    """`short_runs`: how many short runs there were, the last one included."""
    if short_runs <= 0:
        return 0.0
    return min(FIRST_S * 2.0 ** min(short_runs - 1, 10), LAST_S)


def short_runs_after(container: Container, ended_at_s: float) -> int:
    """The count once the run that ends now is taken in."""
    since = container.ready_since_s
    long = since is not None and ended_at_s - since >= LONG_RUN_S
    return 0 if long else container.short_runs + 1


def text(delay: float) -> str:
    """As Go prints a duration: 10s, 1m0s."""
    whole = int(delay)
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60}s"
