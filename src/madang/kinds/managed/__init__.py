"""Field ownership: `metadata.managedFields` as the API server keeps them, and server-side apply.

In: objects as decoded and defaulted, *before* admission and the strategy (prepare) touch them: what the server adds
by itself is nobody's. Out: the list of managedFields entries for the new object (empty: leave the key out), or, from
`apply`, a merged object that carries it. A set of fields is kept in its encoded form (fieldsV1) throughout, so that
nothing is decoded or encoded; see `sets`.
"""

from madang.kinds.managed.apply import apply
from madang.kinds.managed.entries import equal_but_times
from madang.kinds.managed.update import on_create, on_update

__all__ = ["apply", "equal_but_times", "on_create", "on_update"]
