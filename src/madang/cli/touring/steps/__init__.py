"""The seven steps, in the order in which they are walked: each module has `show(stage)`."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from madang.cli.touring.stage import Stage
from madang.cli.touring.steps import balancing, healing, outliving, packing, rolling, scaling, start


class Step(NamedTuple):
    name: str  # also the first part of its words' keys
    show: Callable[[Stage], Coroutine[Any, Any, None]]


STEPS = (
    Step("start", start.show),
    Step("balancing", balancing.show),
    Step("healing", healing.show),
    Step("scaling", scaling.show),
    Step("rolling", rolling.show),
    Step("packing", packing.show),
    Step("outliving", outliving.show),
)
