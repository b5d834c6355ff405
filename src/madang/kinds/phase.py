"""How far a pod has come, as its status says; two phases are final.

In: a pod. Out: its phase, and whether it is over for good.
"""

from madang.ports.objects import Obj

TERMINAL = ("Succeeded", "Failed")


def phase(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def ended(pod: Obj) -> bool:
    return ((pod.get("status") or {}).get("phase") or "Pending") in TERMINAL
