"""HorizontalPodAutoscaler (autoscaling/v2): as many replicas as the load asks for.

In: the HPA, its target and pods, what they used in the last second, what was recommended and done before. Out: a new
size, conditions, Events, and what to remember. `metrics` computes, `limits` holds back, `decision` is the way through.
"""

from madang.control.autoscaler.decision import KIND, NAME, Memory, decide

__all__ = ["KIND", "NAME", "Memory", "decide"]
