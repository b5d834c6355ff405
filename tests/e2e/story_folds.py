"""Whether two recorded lives of one object are the same but for time (pure).

A quicker cluster merges two steps into one state, a slower one shows them apart. So a state may be missing on either
side where it lies *on the way* between its neighbours and nothing is lost with it: every number lies between theirs,
everything else is as before or as after, and nothing goes back. Three things more are timing:

- a Job's controller looks at its pods about once a second: pods that were ready, or ended and waited to be counted,
  in between are not seen;
- who starts a pod's containers one after another and tells of each is seen between them;
- a container that is started again at once is never seen ended: its `lastState` tells that. How long it waits is
  timing too, and so is whether the story's end found it waiting already.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from tests.e2e.story_form import Row, differences, text

Judge = Callable[[Sequence[Row]], bool]
AT_MOST = 3  # steps that one state may leap over
UNSEEN_OF_JOBS = frozenset({("status", "ready"), ("uncounted", "succeeded"), ("uncounted", "failed")})


def unfolded(kind: str, want: list[Row], got: list[Row]) -> list[str]:
    """What can't be explained by time: empty where the lives are the same."""
    judge = {"pods": pod_on_the_way, "jobs": counted_later}.get(kind, in_few_steps)
    if not want or not got or want[0] != got[0]:
        return ["the first state: " + line for line in differences(want[:1], got[:1])]
    reached = {(0, 0)}
    furthest = (0, 0)
    for i, j in ((i, j) for i in range(len(want)) for j in range(len(got))):
        if want[i] == got[j] and any(
            judge([*want[a : i + 1]]) and judge([*got[b : j + 1]]) for a, b in reached if a < i and b < j
        ):
            reached.add((i, j))
            furthest = max(furthest, (i, j))
    if any(ended(kind, want[i:]) and ended(kind, got[j:]) for i, j in reached):
        return []
    return told_from(want, got, *furthest)


def ended(kind: str, rest: list[Row]) -> bool:
    """Whether a life is over with the first of these, but for the wait for a restart."""
    return len(rest) == 1 or (kind == "pods" and len(rest) == 2 and waits_only(*rest))


def waits_only(row: Row, following: Row) -> bool:
    """Whether all that happened between two states of a pod is that an ended container waits now."""
    before = containers(row)
    moved = [(before.get(n, c), c) for n, c in containers(following).items() if c != before.get(n)]
    return bool(moved) and all(
        waits(c) and (c["restartCount"], c["lastState"]) == (was["restartCount"], was["state"]) for was, c in moved
    )


def told_from(want: list[Row], got: list[Row], i: int, j: int) -> list[str]:
    """The states after the last one in which both were the same."""
    after = want[i + 1 : i + 2], got[j + 1 : j + 2]
    if all(after):
        return [f"state {i + 1} ({j + 1} here){line}" for line in differences(after[0][0], after[1][0])]
    return [f"lacks a state {text(r)[:300]}" for r in after[0]] + [
        f"has also a state {text(r)[:300]}" for r in after[1]
    ]


def on_the_way(run: Sequence[Row], unseen: frozenset[tuple[str, ...]] = frozenset()) -> bool:
    """`run`: a state, those between, a state. Whether those between are steps of one way."""
    if any(row["type"] != "MODIFIED" for row in run[1:-1]):
        return False
    steps = [leaves(row) for row in run]
    paths = {path for step in steps for path in step if path not in unseen}
    return len(run) == 2 or all(one_way([step.get(path) for step in steps]) for path in paths)


def in_few_steps(run: Sequence[Row]) -> bool:
    return len(run) <= AT_MOST + 2 and on_the_way(run)


def counted_later(run: Sequence[Row]) -> bool:
    return on_the_way(run, UNSEEN_OF_JOBS)


def pod_on_the_way(run: Sequence[Row]) -> bool:
    return restarted(run) or one_by_one(run)


def one_by_one(run: Sequence[Row]) -> bool:
    """Each state between shows a pending pod of which some containers run already, and the last one that all do."""
    before, after = containers(run[0]), containers(run[-1])
    return all(
        row["type"] == "MODIFIED"
        and row["status"]["phase"] == run[0]["status"]["phase"] == "Pending"
        and all("running" in after.get(n, {}).get("state", {}) for n in before)
        and all(c in (before.get(n), after[n]) for n, c in containers(row).items())
        for row in run[1:-1]
    )


def restarted(run: Sequence[Row]) -> bool:
    """Each state between shows a container that has ended, and the last one that it was started again."""
    after = containers(run[-1])
    return all(
        row["type"] == "MODIFIED"
        and any(waits(c) and after.get(n, {}).get("restartCount") == c["restartCount"] + 1 for n, c in rows)
        for row, rows in ((row, containers(row).items()) for row in run[1:-1])
    )


def containers(row: Row) -> dict[str, Any]:
    return {c["name"]: c for c in row["status"].get("containerStatuses") or ()}


def waits(container: dict[str, Any]) -> bool:
    state: dict[str, Any] = container["state"]
    return "terminated" in state or bool(state.get("waiting", {}).get("reason") == "CrashLoopBackOff")


def one_way(values: Sequence[Any]) -> bool:
    """Numbers rise or fall, sets grow, anything else changes once."""
    if all(value is None or isinstance(value, int) for value in values):
        pairs = list(pairwise(value or 0 for value in values))
        return all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)
    if all(value is None or isinstance(value, frozenset) for value in values):
        sets: list[frozenset[int]] = [value or frozenset() for value in values]
        return all(a <= b for a, b in pairwise(sets))
    return len([1 for a, b in pairwise(values) if a != b]) <= 1


def leaves(row: Row) -> dict[tuple[str, ...], Any]:
    """A controller's object as path -> value. A condition is one value, wherever it stands in its list."""
    found: dict[tuple[str, ...], Any] = {(k,): v for k, v in row.items() if k not in ("status", "type")}
    for key, value in (row.get("status") or {}).items():
        if key == "conditions":
            found |= {("condition", c["type"]): text(c) for c in value}
        elif key == "uncountedTerminatedPods":
            found |= {("uncounted", way): len(uids) for way, uids in value.items()}
        elif key == "completedIndexes":
            found["status", key] = indexes(value)
        else:
            found["status", key] = value
    return found


def indexes(said: str) -> frozenset[int]:
    """ "0,2-4" -> {0, 2, 3, 4}."""
    found: set[int] = set()
    for part in filter(None, said.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)
