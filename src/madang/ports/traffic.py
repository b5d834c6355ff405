"""Who asks whom, as the gateway counts it: for the dashboard's picture of calls.

`gateway` provides it; `courtyard` hands it to `web`. Counts only grow while one worker serves; with another `worker`
they begin anew.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Served:
    """One Service, all ports. `response_ms` is the mean of its last answers."""

    namespace: str
    service: str
    requests: int
    errors: int
    active: int
    response_ms: int


@dataclass(frozen=True, slots=True)
class Calls:
    """From one address (of a pod, or of somebody outside) to one Service."""

    source: str
    namespace: str
    service: str
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class Flow:
    worker: int
    served: tuple[Served, ...] = ()
    calls: tuple[Calls, ...] = ()


class Traffic(Protocol):
    async def flow(self) -> Flow | None:
        """Counts now; None while the gateway does not answer."""
        ...
