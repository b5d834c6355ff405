"""What a write in flight holds: service addresses and ports that no other write may be given meanwhile.

Once the write is visible the store's index answers for them; if it failed they are free again.
"""

from madang.api.desk import Desk
from madang.store.model import Term


class Grants:
    """A dry run is given addresses too, but takes none: what it asks for it is told it could have."""

    __slots__ = ("_desk", "_held", "dry_run")

    def __init__(self, desk: Desk, dry_run: bool = False) -> None:
        self._desk = desk
        self.dry_run = dry_run
        self._held: list[Term] = []

    def free(self, term: Term) -> bool:
        return term not in self._desk.held and not self._desk.store.list("services", terms=(term,), limit=1).entries

    def hold(self, term: Term) -> None:
        self._desk.held.add(term)
        self._held.append(term)

    def release(self) -> None:
        self._desk.held.difference_update(self._held)
        self._held.clear()
