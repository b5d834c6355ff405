"""Job: pods that run to an end, until enough of them did.

In: the Job and its pods. Out: pods made or deleted, finished pods counted exactly once (a finalizer holds each until
its count is on disk), one status. `decision.py` is the way through; `count` counts, `indexes` speaks of Indexed Jobs.
"""

from madang.control.job.decision import NAME, WATCHES, decide

__all__ = ["NAME", "WATCHES", "decide"]
