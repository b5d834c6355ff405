"""What differs between two recordings of one story, time aside (pure).

In: the story as the corpus has it and as it was recorded here. Out: lines, none where they are the same. States are
compared object by object (`story_folds.py` says what is timing), events as a set with their counts, and the objects as
they ended.
"""

from typing import Any

from tests.e2e.story_folds import unfolded
from tests.e2e.story_form import Row, differences, ends, events, lives, saw_leaving

Story = dict[str, Any]


def compared(want: Story, got: Story) -> list[str]:
    return [
        *states(want["states"], got["states"]),
        *told(want["events"], got["events"]),
        *left(want["ends"], got["ends"]),
    ]


def states(want: dict[str, list[Row]], got: dict[str, list[Row]]) -> list[str]:
    found = []
    for kind in sorted({*want, *got}):
        if saw_leaving(want.get(kind, [])) != saw_leaving(got.get(kind, [])):
            found.append(f"{kind}: pods on their way out are counted on one side only")
        there, here = lives(want.get(kind, [])), lives(got.get(kind, []))
        for name in sorted({*there, *here}):
            found += [f"{kind} {name}: {line}" for line in matched(kind, there.get(name, []), here.get(name, []))]
    return found


def matched(kind: str, want: list[list[Row]], got: list[list[Row]]) -> list[str]:
    """Each life there finds one here: which of two equal pods was killed is chance."""
    if len(want) != len(got):
        return [f"{len(want)} of them there, {len(got)} here"]
    rest, found = list(got), []
    for life in want:
        tries = [(unfolded(kind, life, other), other) for other in rest]
        best, other = next((t for t in tries if not t[0]), tries[0])
        rest.remove(other)
        found += best
    return found


def told(want: list[Row], got: list[Row]) -> list[str]:
    there, here = events(want), events(got)
    lacking = [f"event there only, {n} of it: {event}" for event, n in (there - here).items()]
    return lacking + [f"event here only, {n} of it: {event}" for event, n in (here - there).items()]


def left(want: dict[str, list[Row]], got: dict[str, list[Row]]) -> list[str]:
    return differences(ends(want), ends(got), "ends")
