"""Where a Service of type ExternalName leads: to another Service of the house, or out of it.

In: the Service's spec. Out: the namespace and name of the Service that its `externalName` means, or None: then it is
a name of the outside world, which only a DNS server could follow.
"""

from madang.ports.objects import Obj

ZONE = "cluster.local"
_TAILS = (["svc"], ["svc", *ZONE.split(".")])
NOT_FOLLOWED = (
    "only names of Services (NAME.NAMESPACE.svc.cluster.local) are followed: no pod finds this one by the Service's "
    "name; give the programs {} itself"
)


def target(spec: Obj) -> tuple[str, str] | None:
    if spec.get("type") != "ExternalName":
        return None
    parts = str(spec.get("externalName") or "").rstrip(".").lower().split(".")
    return (parts[1], parts[0]) if parts[2:] in _TAILS else None


def not_followed(spec: Obj) -> str:
    """Why the name has no effect; empty where it has one, or there is none."""
    if spec.get("type") != "ExternalName" or target(spec) is not None:
        return ""
    return f"spec.externalName: {NOT_FOLLOWED.format(spec.get('externalName') or 'the name')}"
