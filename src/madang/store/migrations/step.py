"""One step from a format of the state file to the next one.

In: the database of the older format. Out: its rows as the next format has them. A step never writes: it says how the
older tables are read, and what becomes of each row (pure). `store.migrations.migration` writes the new file.

To add one: raise `SCHEMA` in `store.sqlite`, write `v1_to_v2.py` with a `Step`, put it into `STEPS`, and keep a state
folder made by the code before the change in `tests/store/formats/`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from madang.ports.journal import Row

ROWS = "SELECT kind, namespace, name, revision, data FROM objects"
REVISION = "SELECT revision FROM head"


@dataclass(frozen=True, slots=True)
class Step:
    """`rows` and `revision` are the questions that the tables of format `source` understand; `row` gives what the next
    format keeps of a row, None where it keeps nothing."""

    source: int
    row: Callable[[Row], Row | None]
    rows: str = ROWS
    revision: str = REVISION


# In order, without a gap, the last one from the format before today's. Format 1 is the first that was released.
STEPS: tuple[Step, ...] = ()
