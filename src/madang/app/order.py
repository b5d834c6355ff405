"""In which order objects are applied: what others stand on comes first. In: an object. Out: the number of its group."""

from madang.ports.objects import Obj

# Later groups stand on earlier ones; within a group all at once.
ORDER: tuple[tuple[str, ...], ...] = (
    ("Namespace",),
    ("ServiceAccount", "ConfigMap", "Secret", "RuntimeClass", "GatewayClass"),
    ("Service", "Gateway"),
    ("Deployment", "ReplicaSet", "Job", "Pod"),
)
GROUPS = range(len(ORDER) + 1)  # the last: all other kinds


def group(obj: Obj) -> int:
    return next((n for n, kinds in enumerate(ORDER) if obj["kind"] in kinds), len(ORDER))
