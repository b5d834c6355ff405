"""The committed state as decisions see it: `ports.view.View` over the store.

In: names and selectors. Out: decoded objects, never copied and never to be changed. Every lookup goes by an index.
"""

from collections.abc import Mapping, Sequence

from madang.ports.objects import Kind, Obj
from madang.store.model import Store, Term


class StoreView:
    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        return self._store.object((kind, namespace, name))

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        owner: str | None = None,
        node: str | None = None,
    ) -> Sequence[Obj]:
        terms: list[Term] = [("label", f"{k}={v}") for k, v in labels.items()] if labels else []
        if owner is not None:
            terms.append(("owner", owner))
        if node is not None:
            terms.append(("node", node))
        return self._store.objects(kind, namespace, terms)
