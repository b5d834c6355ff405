"""Deployment: one template rolled out by ReplicaSets, old ones kept as history.

In: the Deployment, its ReplicaSets and their pods. Out: ReplicaSets made, scaled, deleted; one status.
`decision.py` is the way through; `revisions`, `scaling`, `rolling`, `recreate` its steps; `status` what is told.
"""

from madang.control.deployment.decision import NAME, WATCHES, decide

__all__ = ["NAME", "WATCHES", "decide"]
