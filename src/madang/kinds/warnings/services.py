"""Warnings about services: fields that their type or headlessness makes void.

In: a Service. Out: texts in the API's words.
"""

from collections.abc import Callable

from madang.kinds import external_name
from madang.ports.objects import Obj


def _headless(spec: Obj) -> bool:
    return spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"


# ordered: (whether it holds of the spec, what is said)
_RULES: tuple[tuple[Callable[[Obj], bool], str], ...] = (
    (lambda s: _headless(s) and bool(s.get("loadBalancerIP")), "spec.loadBalancerIP is ignored for headless services"),
    (lambda s: _headless(s) and bool(s.get("externalIPs")), "spec.externalIPs is ignored for headless services"),
    (
        lambda s: _headless(s) and s.get("sessionAffinity") != "None",
        "spec.SessionAffinity is ignored for headless services",
    ),
    (
        lambda s: bool(s.get("externalIPs")) and not _headless(s) and s.get("type") != "ExternalName",
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    ),
    (
        lambda s: s.get("type") == "ExternalName" and bool(s.get("externalIPs")),
        'spec.externalIPs is ignored when spec.type is "ExternalName"',
    ),
    (
        lambda s: s.get("type") != "ExternalName" and bool(s.get("externalName")),
        'spec.externalName is ignored when spec.type is not "ExternalName"',
    ),
    (
        lambda s: s.get("trafficDistribution") == "PreferClose",
        'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ),
)
_HINTS = "service.kubernetes.io/topology-aware-hints"


def of(new: Obj, _: Obj | None) -> list[str]:
    found = []
    if _HINTS in (new["metadata"].get("annotations") or {}):
        found.append(f"annotation {_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead")
    lost = external_name.not_followed(new["spec"])
    return found + [text for holds, text in _RULES if holds(new["spec"])] + ([lost] if lost else [])
