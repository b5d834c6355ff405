"""The shortest story keeps what it takes and nothing else."""

from collections import Counter

from madang.world.plan import Plan, plan
from madang.world.shortest import shortest
from madang.world.story import Outcome
from madang.world.world import Breach


def test_only_the_deeds_that_it_takes_are_told() -> None:
    whole = plan(2)
    needed = {whole.deeds[1], whole.deeds[-1]}

    def run(story: Plan) -> Outcome:
        breach = Breach("it", whole.deeds[-1].at_s, "broke") if needed <= set(story.deeds) else None
        return Outcome(story.seed, breach, Counter(), 1, 1, 1.0)

    least, outcome = shortest(whole, run(whole), run)
    assert set(least.deeds) == needed and outcome.breach is not None


def test_a_plan_follows_from_its_seed() -> None:
    assert plan(7) == plan(7) != plan(8)
    assert [d.at_s for d in plan(7).deeds] == sorted(d.at_s for d in plan(7).deeds)
