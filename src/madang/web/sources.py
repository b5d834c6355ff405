"""What the dashboard is made of: handed over by the courtyard once, asked only while somebody looks.

In: the API, time, the courtyard's own record; samples, images and the gateway's counts, which flow past the store. Out:
`Sources`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.streams import Samples, Stacks
from madang.ports.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Sources:
    api: LocalApi
    clock: Clock
    record: Callable[[], Mapping[str, Any]]
    samples: Samples | None = None
    traffic: Traffic | None = None
    images: Stacks | None = None
