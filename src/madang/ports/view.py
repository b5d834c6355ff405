"""A read-only look at the committed state, as decisions get it.

In: names and selectors. Out: decoded objects that must not be changed. Reads never wait. Every lookup goes
by an index, so that a decide costs what its own key's objects cost, not what the house holds.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from madang.ports.objects import Kind, Obj


class View(Protocol):
    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None: ...

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        owner: str | None = None,
        node: str | None = None,
    ) -> Sequence[Obj]:
        """Objects by namespace (None: all), by labels that must all be equal, by an owner's uid
        (any ownerReference), by the node they are bound to (`spec.nodeName`; empty: not bound yet).
        In order of (namespace, name)."""
        ...
