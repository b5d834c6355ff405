"""Which nodes a pod may go to: an ordered list, the first filter that refuses a node gives the reasons.

In: wishes, tally, a node's place. Out: reasons in the scheduler's own words, each with whether evicting others could
help (kubernetes pkg/scheduler/framework/plugins).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from madang.kinds.taints import tolerates, untolerated
from madang.placement.neighbours import Neighbours
from madang.placement.requests import PODS
from madang.placement.spreading import Spreading, wanted_node
from madang.placement.storage import Look, unfit
from madang.placement.tally import Tally
from madang.placement.wants import Wants


class Reason(NamedTuple):
    text: str
    curable: bool = False  # by making room


class Candidate(NamedTuple):
    """One node, looked at for one pod."""

    wants: Wants
    tally: Tally
    near: Neighbours
    spreading: Spreading
    i: int
    look: Look


class Filter(NamedTuple):
    """`concerns`: whether a pod has such a wish at all."""

    name: str
    concerns: Callable[[Wants, Tally], bool]
    refuses: Callable[[Candidate], Sequence[Reason]]


def always(wants: Wants, tally: Tally) -> bool:
    return True


UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def unschedulable(c: Candidate) -> Sequence[Reason]:
    if not c.tally.cordoned[c.i] or any(tolerates(t, UNSCHEDULABLE) for t in c.wants.tolerations):
        return ()
    return (Reason("node(s) were unschedulable"),)


def taints(c: Candidate) -> Sequence[Reason]:
    refused = c.tally.taints[c.i] and untolerated(c.tally.taints[c.i], c.wants.tolerations)
    return (Reason("node(s) had untolerated taint(s)"),) if refused else ()


def node_affinity(c: Candidate) -> Sequence[Reason]:
    if wanted_node(c.wants, c.tally, c.i):
        return ()
    return (Reason("node(s) didn't match Pod's node affinity/selector"),)


def ports(c: Candidate) -> Sequence[Reason]:
    taken = (port for seat in c.tally.seats[c.i].values() for port in seat.wants.ports)
    if any(mine.meets(other) for other in taken for mine in c.wants.ports):
        return (Reason("node(s) didn't have free ports for the requested pod ports", curable=True),)
    return ()


def fits(c: Candidate) -> Sequence[Reason]:
    tally, i = c.tally, c.i
    used, allocatable = tally.used, tally.allocatable
    reasons: list[Reason] = []
    if used[PODS][i] + 1 > allocatable[PODS][i]:
        reasons.append(Reason("Too many pods", curable=True))
    for resource, value in c.wants.requests.items():
        if value > 0 and value > tally.column(allocatable, resource)[i] - tally.column(used, resource)[i]:
            reasons.append(Reason(f"Insufficient {resource}", curable=value <= allocatable[resource][i]))
    return reasons


def alone(c: Candidate) -> Sequence[Reason]:
    """A claim for one pod only (ReadWriteOncePod), which another pod has."""
    home, known = c.wants.namespace, c.tally.storage.claims
    modes = ((name, known.get((home, name), {}).get("spec", {}).get("accessModes")) for name in c.wants.claims)
    mine = {name for name, found in modes if "ReadWriteOncePod" in (found or ())}
    others = (seat.wants for seats in c.tally.seats for seat in seats.values()) if mine else ()
    if any(other.namespace == home and mine & set(other.claims) for other in others):
        text = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
        return (Reason(text, curable=True),)
    return ()


def volumes(c: Candidate) -> Sequence[Reason]:
    return [Reason(text) for text in unfit(c.look, c.tally.names[c.i], c.tally.labels[c.i])]


def spread(c: Candidate) -> Sequence[Reason]:
    for rule in c.wants.spreads:
        if rule.hard:
            skew = c.spreading.skew(rule, c.i)
            if skew is None:
                return (Reason("node(s) didn't match pod topology spread constraints (missing required label)"),)
            if skew > rule.max_skew:
                return (Reason("node(s) didn't match pod topology spread constraints", curable=True),)
    return ()


def pod_affinity(c: Candidate) -> Sequence[Reason]:
    if c.wants.affinity and not c.near.near_enough(c.i):
        return (Reason("node(s) didn't match pod affinity rules"),)
    if c.wants.anti_affinity and not c.near.far_enough(c.i):
        return (Reason("node(s) didn't match pod anti-affinity rules", curable=True),)
    if not c.near.welcome(c.i):
        return (Reason("node(s) didn't satisfy existing pods anti-affinity rules", curable=True),)
    return ()


FILTERS: tuple[Filter, ...] = (
    Filter("NodeUnschedulable", lambda w, t: any(t.cordoned), unschedulable),
    Filter("TaintToleration", lambda w, t: any(t.taints), taints),
    Filter("NodeAffinity", lambda w, t: bool(w.node_selector) or w.node_terms is not None, node_affinity),
    Filter("NodePorts", lambda w, t: bool(w.ports), ports),
    Filter("NodeResourcesFit", always, fits),
    Filter("VolumeRestrictions", lambda w, t: bool(w.claims), alone),
    Filter("VolumeBinding", lambda w, t: bool(w.claims), volumes),
    Filter("PodTopologySpread", lambda w, t: any(s.hard for s in w.spreads), spread),
    Filter("InterPodAffinity", lambda w, t: bool(w.affinity or w.anti_affinity or t.repelling), pod_affinity),
)
