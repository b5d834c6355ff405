"""A pod's wishes, read once: what filters and scores ask for, without touching the object again.

In: a pod. Out: a `Wants`, or the reasons why this scheduler must not place it (features that it doesn't have).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from madang.kinds.claims import claimed
from madang.kinds.selectors import EVERYTHING, Selector, from_object
from madang.placement.requests import Amounts, HostPort, host_ports, pod_requests
from madang.ports.objects import Obj


@dataclass(frozen=True, slots=True)
class PodTerm:
    """One (anti-)affinity term: pods of these namespaces with these labels, in one domain of `topology`."""

    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector | None
    topology: str
    weight: int = 0

    def takes(self, namespace: str, labels: Mapping[str, str], namespaces: Mapping[str, Mapping[str, str]]) -> bool:
        home = namespace in self.namespaces or (
            self.namespace_selector is not None and self.namespace_selector.matches(namespaces.get(namespace, {}))
        )
        return home and self.selector.matches(labels)


@dataclass(frozen=True, slots=True)
class Spread:
    topology: str
    max_skew: int
    selector: Selector
    hard: bool
    min_domains: int
    honor_affinity: bool
    honor_taints: bool


@dataclass(frozen=True, slots=True)
class Wants:
    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    owner: str  # uid of the set of equals that it is one of; empty where it is none's, or its equals are no instances
    priority: int
    requests: Amounts
    ports: tuple[HostPort, ...]
    node_selector: Mapping[str, str]
    node_terms: Sequence[Obj] | None
    preferred_nodes: Sequence[Obj]
    tolerations: Sequence[Obj]
    affinity: tuple[PodTerm, ...]
    anti_affinity: tuple[PodTerm, ...]
    preferred_pods: tuple[PodTerm, ...]  # weight below 0: away from
    spreads: tuple[Spread, ...]
    never_preempts: bool
    claims: tuple[str, ...] = ()  # of its namespace


# Whose pods serve side by side; a Job's do not.
SETS = ("ReplicaSet", "StatefulSet", "ReplicationController")


def read(pod: Obj) -> Wants:
    meta, spec = pod["metadata"], pod["spec"]
    affinity = spec.get("affinity") or {}
    nodes, near, away = (affinity.get(part) or {} for part in ("nodeAffinity", "podAffinity", "podAntiAffinity"))
    required = nodes.get("requiredDuringSchedulingIgnoredDuringExecution")
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    owners = (o for o in meta.get("ownerReferences") or () if o.get("controller") and o.get("kind") in SETS)
    return Wants(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        labels=meta.get("labels") or {},
        owner=next((o["uid"] for o in owners), ""),
        priority=int(spec.get("priority") or 0),
        requests=pod_requests(pod),
        ports=host_ports(pod),
        node_selector=spec.get("nodeSelector") or {},
        node_terms=None if required is None else required.get("nodeSelectorTerms") or [],
        preferred_nodes=nodes.get(preferred) or (),
        tolerations=spec.get("tolerations") or (),
        affinity=hard_terms(near, meta),
        anti_affinity=hard_terms(away, meta),
        preferred_pods=(
            *(pod_term(t["podAffinityTerm"], meta, int(t["weight"])) for t in near.get(preferred) or ()),
            *(pod_term(t["podAffinityTerm"], meta, -int(t["weight"])) for t in away.get(preferred) or ()),
        ),
        spreads=tuple(spread(s, meta) for s in spec.get("topologySpreadConstraints") or ()),
        never_preempts=spec.get("preemptionPolicy") == "Never",
        claims=tuple(one.claim for one in claimed(pod)),
    )


def hard_terms(part: Obj, meta: Obj) -> tuple[PodTerm, ...]:
    terms = part.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(pod_term(t, meta) for t in terms)


def pod_term(term: Obj, meta: Obj, weight: int = 0) -> PodTerm:
    chosen = term.get("namespaceSelector")
    named = frozenset(term.get("namespaces") or ())
    return PodTerm(
        selector=keyed(term.get("labelSelector"), term, meta),
        namespaces=named or (frozenset({meta["namespace"]}) if chosen is None else frozenset()),
        namespace_selector=None if chosen is None else (from_object(chosen) if chosen else EVERYTHING),
        topology=term["topologyKey"],
        weight=weight,
    )


def keyed(selector: Obj | None, rule: Obj, meta: Obj) -> Selector:
    """The selector with the pod's own values of matchLabelKeys (and not those of mismatchLabelKeys)."""
    labels: Mapping[str, Any] = meta.get("labels") or {}
    more = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in rule.get(field) or ()
        if key in labels
    ]
    if selector is None or not more:
        return from_object(selector)
    return from_object({**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *more]})


def spread(constraint: Obj, meta: Obj) -> Spread:
    return Spread(
        topology=constraint["topologyKey"],
        max_skew=int(constraint["maxSkew"]),
        selector=keyed(constraint.get("labelSelector"), constraint, meta),
        hard=constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule",
        min_domains=int(constraint.get("minDomains") or 1),
        honor_affinity=constraint.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=constraint.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


# What a pod may ask for and this scheduler cannot give: it is told, never ignored. (condition, reason)
REFUSED: Sequence[tuple[Callable[[Obj], bool], Callable[[Obj], str]]] = (
    # Devices by claim need a driver's resource slices.
    (lambda pod: bool(pod["spec"].get("resourceClaims")),
     lambda pod: "pod.spec.resourceClaims is not supported by this scheduler"),
    # All or nothing for a group of pods.
    (lambda pod: bool(pod["spec"].get("schedulingGroup") or pod["spec"].get("workloadRef")),
     lambda pod: "scheduling groups of pods are not supported by this scheduler"),
)  # fmt: skip


def refusals(pod: Obj) -> list[str]:
    return [text(pod) for applies, text in REFUSED if applies(pod)]
