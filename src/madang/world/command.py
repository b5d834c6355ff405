"""What `python -m madang.world` does: seeds one after the other, stories of those that broke, the tally at the end.

In: words of the command line. Out: lines; exit code 1 where a seed broke, a planted bug was missed, or a fault never
struck where it should have.
"""

import argparse
import gc
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from madang.world.bugs import BUGS
from madang.world.clock import dice
from madang.world.kept import line
from madang.world.plan import Plan, mortal, plan
from madang.world.points import Seeker
from madang.world.shortest import shortest
from madang.world.story import Outcome, run
from madang.world.tally import missing, table

KEPT = "tests/world/kept.jsonl"
ENOUGH = 150  # seeds in which every fault must have struck
BARREN = 20  # worlds in a row that lead to no new place: there are no more
BETWEEN = 1  # worlds, until what they left is collected: their memory is still warm for the next


@contextmanager
def home() -> Iterator[Path]:
    """A folder in memory, where there is one: pods' folders are real files."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="madang-world-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def once(story: Plan, tracing: bool = False, seeker: Seeker | None = None) -> Outcome:
    """What the collector ends, and when, must follow from the seed as well: it runs between worlds only."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        with home() as place:
            return run(story, place, tracing, seeker)
    finally:
        if collecting:
            gc.enable()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m madang.world", description="The simulated world.")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--seed", type=int, help="this one alone, with its whole story")
    parser.add_argument("--first", type=int, default=0, help="where to begin")
    parser.add_argument("--kills", type=int, metavar="N", help="kill at N different places, each time with all checks")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first that breaks")
    parser.add_argument(
        "--bug",
        action="append",
        choices=["all", *BUGS],
        metavar="NAME",
        help="plant this bug (several, or all: each in turn)",
    )
    given = parser.parse_args(argv)
    if given.kills:
        return kills(given.kills, given.first)
    if given.bug and given.bug != ["all"] and len(given.bug) == 1:
        with BUGS[given.bug[0]].planted():
            if given.seed is not None:
                return one(given.seed)
            return many(range(given.first, given.first + given.seeds), given.keep_going)
    if given.bug:
        return hunt(list(BUGS) if "all" in given.bug else given.bug, given.seeds, given.first)
    if given.seed is not None:
        return one(given.seed)
    return many(range(given.first, given.first + given.seeds), given.keep_going)


def worlds(plans: Iterable[Plan]) -> Iterator[Outcome]:
    """One after the other; what each leaves is collected now and then, and never while one runs."""
    gc.freeze()  # what was imported stays
    gc.disable()
    for number, story_ in enumerate(plans, 1):
        yield once(story_)
        if number % BETWEEN == 0:
            sweep()


def sweep() -> None:
    """What stays (what the house remembers beyond a life) need not be looked through after the next world again."""
    gc.collect()
    gc.freeze()


def hunt(names: list[str], seeds: int, first: int) -> int:
    """Each planted bug must be found."""
    missed = []
    for name in names:
        with BUGS[name].planted():
            found = (o for o in worlds(map(plan, range(first, first + seeds))) if o.breach is not None)
            outcome = next(found, None)
        if outcome is None or outcome.breach is None:
            missed.append(name)
            print(f"MISSED  {name}: {BUGS[name].text}", flush=True)
        else:
            print(f"found   {name}: {BUGS[name].text}: by seed {outcome.seed}: {outcome.breach.invariant}", flush=True)
    print(f"{len(names) - len(missed)} of {len(names)} planted bugs found within {seeds} seeds")
    return 1 if missed else 0


def one(seed: int) -> int:
    outcome = once(plan(seed), tracing=True)
    print("\n".join(outcome.trace))
    told(outcome)
    return outcome.breach is not None


def many(seeds: range, keep_going: bool) -> int:
    counts: Counter[str] = Counter()
    points: set[str] = set()
    broken, done, lives, began, used = 0, 0, 0, time.perf_counter(), time.process_time()
    for outcome in worlds(map(plan, seeds)):
        done += 1
        counts += outcome.tally
        lives += outcome.lives
        points |= outcome.points
        if outcome.breach is not None:
            broken += 1
            story(outcome.seed, outcome)
            if not keep_going:
                break
    took, used = time.perf_counter() - began, time.process_time() - used
    print(
        f"{done} seeds, {broken} broken, {lives} lives, in {took:.1f} s "
        f"({done / took * 60:.0f} a minute, {done / used * 60:.0f} a minute of CPU)"
    )
    print(struck(counts, points))
    print("\n".join(table(counts)))
    if absent := missing(counts):
        print(f"never struck: {', '.join(absent)}")
    return 1 if broken or (absent and done >= ENOUGH) else 0


def struck(counts: Counter[str], points: set[str]) -> str:
    innermost = {point.partition(" < ")[0] for point in points}
    return (
        f"{counts['kill']} kills at {len(points)} different places ({len(innermost)} innermost awaits), "
        f"{counts['checked']} restarts with every invariant checked"
    )


def kills(wanted: int, first: int) -> int:
    """The control process is killed and started again, until it was struck at so many different places."""
    points: set[str] = set()
    counts: Counter[str] = Counter()
    began, barren = time.perf_counter(), 0
    for seed in seeds_from(first):
        seeker, before = Seeker(points, dice(seed, "places")), len(points)
        outcome = once(mortal(seed), seeker=seeker)
        counts += outcome.tally
        if outcome.breach is not None:
            told(outcome)
            again = mortal(seed, seeker.steps)
            print(f"  to keep it, add this line to {KEPT}:\n{line(again, outcome.breach.text)}")
            return 1
        barren = 0 if len(points) > before else barren + 1
        if len(points) >= wanted or barren > BARREN:
            break
    print(f"{struck(counts, points)}, {seed - first + 1} seeds, in {time.perf_counter() - began:.1f} s")
    return 0 if len(points) >= wanted else 1


def seeds_from(first: int) -> Iterator[int]:
    gc.freeze()
    gc.disable()
    for seed in count(first):
        yield seed
        if seed % BETWEEN == 0:
            sweep()


def told(outcome: Outcome) -> None:
    breach = outcome.breach
    if breach is None:
        print(f"seed {outcome.seed}: all held, {outcome.lives} lives, {outcome.ended_s:.1f} s, {outcome.steps} steps")
        return
    print(f"seed {outcome.seed}: broke at {breach.at_s:.3f} s: {breach.invariant}: {breach.text}")


def story(seed: int, outcome: Outcome) -> None:
    """What was asked, what struck, which invariant broke: no deed more than it takes."""
    told(outcome)
    least, short = shortest(plan(seed), outcome, once)
    print(f"  the shortest story of seed {seed} ({len(least.deeds)} of {len(plan(seed).deeds)} deeds):")
    for deed in least.deeds:
        print(f"    {deed}")
    if short.breach is not None:
        print(f"    {short.breach.at_s:7.3f} s  broke   {short.breach.invariant}: {short.breach.text[:2000]}")
    print(f"  again: ./dev world --seed {seed}")
    if short.breach is not None:
        print(f"  to keep it, add this line to {KEPT}:\n{line(least, short.breach.text)}", flush=True)
