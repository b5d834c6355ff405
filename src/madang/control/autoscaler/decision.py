"""One sync of a HorizontalPodAutoscaler (kubernetes podautoscaler reconcileAutoscaler).

In: the key, the view, what pods used, the hour, and the `Memory` of the syncs before. Out: actions and the new memory.
Memory is not an object: after a restart the present size counts as recommended, as in Kubernetes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from madang.control.autoscaler import metrics
from madang.control.autoscaler.limits import Noted, bounded, longest_s, stabilized
from madang.control.autoscaler.metrics import TOLERANCE, Load, MetricError, Proposal
from madang.control.conditions import find
from madang.control.controller import Ref
from madang.control.difference import status_patch
from madang.control.instant import stamp
from madang.control.selection import labels_of, matches
from madang.kinds.quantity import from_millis, parse
from madang.kinds.table import by_kind
from madang.ports.actions import Action, Emit, Patch
from madang.ports.objects import Kind, Obj
from madang.ports.streams import PodUsage
from madang.ports.view import View

NAME = "horizontal-pod-autoscaler"
KIND = "horizontalpodautoscalers.autoscaling"
TELL_S = 10.0  # measured figures alone are written at most so often


@dataclass(frozen=True, slots=True)
class Memory:
    recommended: tuple[Noted, ...] = ()
    ups: tuple[Noted, ...] = ()
    downs: tuple[Noted, ...] = ()
    told_s: float = float("-inf")

    def until(self, now: float) -> "Memory":
        """Without what lies ahead: the clock was set back, and it would count for as long as it was."""
        if self.told_s <= now and all(n.at_s <= now for n in (*self.recommended, *self.ups, *self.downs)):
            return self
        kept = {
            name: tuple(n for n in getattr(self, name) if n.at_s <= now) for name in ("recommended", "ups", "downs")
        }
        return Memory(**kept, told_s=min(self.told_s, now))


@dataclass(slots=True)
class Sync:
    """What this sync gathers: the status to be, the actions on the way."""

    hpa: Obj
    now: float
    conditions: list[Obj]
    actions: list[Action] = field(default_factory=list)

    def mark(self, type_: str, status: bool, reason: str, message: str) -> None:
        """A condition keeps its place; its hour moves with its status (podautoscaler setConditionInList)."""
        new = {"type": type_, "status": str(status), "reason": reason, "message": message}
        old = find(self.conditions, type_)
        same = old is not None and old["status"] == new["status"]
        new["lastTransitionTime"] = old["lastTransitionTime"] if old is not None and same else stamp(self.now)
        if old is None:
            self.conditions.append(new)
        else:
            self.conditions[self.conditions.index(old)] = new

    def tell(self, type_: str, reason: str, message: str) -> None:
        self.actions.append(Emit(KIND, self.hpa, type_, reason, message))  # type: ignore[arg-type]


def decide(
    ref: Ref, view: View, now: float, usage: Mapping[str, PodUsage], memory: Memory
) -> tuple[Sequence[Action], Memory]:
    """`usage` by pod name, of the HPA's namespace."""
    hpa = view.get(KIND, ref.namespace, ref.name)
    memory = memory.until(now)
    if hpa is None:
        return [], memory
    sync = Sync(hpa, now, list((hpa.get("status") or {}).get("conditions") or ()))
    found = target(hpa, view)
    if isinstance(found, str):
        sync.mark("AbleToScale", False, "FailedGetScale",
                  f"the HPA controller was unable to get the target's current scale: {found}")  # fmt: skip
        sync.tell("Warning", "FailedGetScale", found)
        return finished(sync, None, None, (), False, memory)
    kind, scaled = found
    sync.mark("AbleToScale", True, "SucceededGetScale",
              "the HPA controller was able to get the target's current scale")  # fmt: skip
    current = int(scaled["spec"].get("replicas", 1))
    least, most = int(hpa["spec"].get("minReplicas", 1)), int(hpa["spec"]["maxReplicas"])
    rows: tuple[Obj, ...] = tuple((hpa.get("status") or {}).get("currentMetrics") or ())
    if current == 0 and least != 0:
        sync.mark("ScalingActive", False, "ScalingDisabled",
                  "scaling is disabled since the replica count of the target is zero")  # fmt: skip
        return finished(sync, scaled, 0, rows, False, memory)
    if current > most:
        wanted, reason = most, "Current number of replicas above Spec.MaxReplicas"
    elif current < least:
        wanted, reason = least, "Current number of replicas below Spec.MinReplicas"
    else:
        found_proposals = proposals(sync, scaled, current, view, usage)
        if not found_proposals:
            return finished(sync, scaled, None, rows, False, memory)
        proposal = max(found_proposals, key=lambda p: p.replicas)
        rows = tuple(p.status for p in found_proposals)
        reason = f"{proposal.name} above target" if proposal.replicas > current else "All metrics below target"
        memory, wanted = held_back(sync, current, proposal.replicas, memory)
    if wanted == current:
        return finished(sync, scaled, current, rows, False, memory)
    sync.actions.append(rescale(sync, kind, scaled, wanted))
    sync.mark("AbleToScale", True, "SucceededRescale",
              f"the HPA controller was able to update the target scale to {wanted}")  # fmt: skip
    sync.tell("Normal", "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
    return finished(sync, scaled, wanted, rows, True, remembered(memory, current, wanted, now))


def target(hpa: Obj, view: View) -> tuple[Kind, Obj] | str:
    """The scaled object, or why there is none."""
    ref, namespace = hpa["spec"]["scaleTargetRef"], hpa["metadata"]["namespace"]
    group, _, version = str(ref.get("apiVersion", "")).rpartition("/")
    served = by_kind(group, version, ref["kind"])
    if served is None or not any(s.name == "scale" for s in served.kind.subresources):
        return f'no matches for kind "{ref["kind"]}" in group "{group}"'
    found = view.get(served.kind.id, namespace, ref["name"])
    return (served.kind.id, found) if found is not None else f'{served.kind.id} "{ref["name"]}" not found'


def proposals(sync: Sync, scaled: Obj, current: int, view: View, usage: Mapping[str, PodUsage]) -> list[Proposal]:
    """One a metric; none when nothing can be said."""
    specs = sync.hpa["spec"].get("metrics") or [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    ]
    found: list[Proposal] = []
    faults: list[tuple[str, str]] = []
    for spec in specs:
        try:
            found.append(proposal_of(spec, load_of(sync, spec, scaled, current, view, usage)))
        except MetricError as fault:
            faults.append((f"FailedGet{spec['type']}Metric", str(fault)))
    best = max(found, key=lambda p: p.replicas, default=None)
    for reason, text in faults:
        sync.tell("Warning", reason, text)
    if best is None or (faults and best.replicas < current):
        reason, text = faults[0]
        sync.mark("ScalingActive", False, reason, f"the HPA was unable to compute the replica count: {text}")
        whole = f"invalid metrics ({len(faults)} invalid out of {len(specs)}), first error is: {text}"
        sync.tell("Warning", "FailedComputeMetricsReplicas", whole)
        return []
    sync.mark("ScalingActive", True, "ValidMetricFound",
              f"the HPA was able to successfully calculate a replica count from {best.name}")  # fmt: skip
    return found


def load_of(sync: Sync, spec: Obj, scaled: Obj, current: int, view: View, usage: Mapping[str, PodUsage]) -> Load:
    source = {"Resource": "resource", "ContainerResource": "containerResource"}.get(spec["type"])
    if source is None:
        raise MetricError(f"metrics of type {spec['type']} are not supported: only Resource and ContainerResource are")
    selector, namespace = scaled["spec"].get("selector"), scaled["metadata"]["namespace"]
    listed = view.list("pods", namespace, labels=(selector or {}).get("matchLabels") or None)
    chosen = [p for p in listed if matches(selector, labels_of(p))]
    behavior = sync.hpa["spec"].get("behavior") or {}
    up, down = ((behavior.get(way) or {}).get("tolerance") for way in ("scaleUp", "scaleDown"))
    return Load(
        resource=spec[source]["name"],
        container=spec[source].get("container", ""),
        pods=chosen,
        usage=usage,
        current=current,
        tolerance_up=TOLERANCE if up is None else parse(str(up)).millis / 1000,
        tolerance_down=TOLERANCE if down is None else parse(str(down)).millis / 1000,
        now=sync.now,
    )


def proposal_of(spec: Obj, load: Load) -> Proposal:
    source = "containerResource" if load.container else "resource"
    wanted = spec[source]["target"]
    word = "container resource" if load.container else "resource"
    row: Obj = {"name": load.resource, **({"container": load.container} if load.container else {})}
    try:
        if wanted.get("averageValue") is not None:
            replicas, average = metrics.by_average(load, parse(str(wanted["averageValue"])).millis)
            row["current"] = {"averageValue": shown(load.resource, average)}
            name = f"{load.resource} {word}"
        else:
            replicas, percent, average = metrics.by_utilization(load, int(wanted["averageUtilization"]))
            row["current"] = {"averageUtilization": percent, "averageValue": shown(load.resource, average)}
            name = f"{load.resource} {word} utilization (percentage of request)"
    except MetricError as fault:
        kind = "usage" if wanted.get("averageValue") is not None else "utilization"
        raise MetricError(f"failed to get {load.resource} {kind}: {fault}") from fault
    return Proposal(replicas, name, {"type": spec["type"], source: row})


def shown(resource: str, average: float) -> str:
    return from_millis(int(average)) if resource == metrics.CPU else str(int(average / 1000))


def held_back(sync: Sync, current: int, wanted: int, memory: Memory) -> tuple[Memory, int]:
    now = sync.now
    recent = memory.recommended or (Noted(now, current),)
    steady = stabilized(sync.hpa, current, wanted, recent, now)
    sync.mark("AbleToScale", True, steady.reason, steady.message)
    kept = tuple(n for n in recent if n.at_s > now - longest_s(sync.hpa))
    memory = replace(memory, recommended=thinned((*kept, Noted(now, wanted))))
    size = bounded(sync.hpa, current, steady.replicas, memory.ups, memory.downs, now)
    sync.mark("ScalingLimited", size.replicas != steady.replicas, size.reason, size.message)
    return memory, size.replicas


def thinned(noted: tuple[Noted, ...]) -> tuple[Noted, ...]:
    """Of three equal neighbours the middle one says nothing."""
    found: list[Noted] = []
    for one in noted:
        if len(found) >= 2 and found[-1].replicas == found[-2].replicas == one.replicas:
            found[-1] = one
        else:
            found.append(one)
    return tuple(found)


def rescale(sync: Sync, kind: Kind, scaled: Obj, wanted: int) -> Patch:
    meta = scaled["metadata"]
    return Patch(kind, meta["namespace"], meta["name"], {"spec": {"replicas": wanted}}, "scale", uid=meta["uid"])


def remembered(memory: Memory, current: int, wanted: int, now: float) -> Memory:
    def recent(events: tuple[Noted, ...]) -> tuple[Noted, ...]:
        return tuple(e for e in events if e.at_s > now - 1800)

    if wanted > current:
        return replace(memory, ups=(*recent(memory.ups), Noted(now, wanted - current)), downs=recent(memory.downs))
    return replace(memory, ups=recent(memory.ups), downs=(*recent(memory.downs), Noted(now, current - wanted)))


def finished(
    sync: Sync, scaled: Obj | None, wanted: int | None, rows: Sequence[Obj], rescaled: bool, memory: Memory
) -> tuple[Sequence[Action], Memory]:
    """The status, written when it says something new; figures alone at most every ten seconds."""
    old = sync.hpa.get("status") or {}
    status: Obj = {**old, "conditions": sync.conditions}
    status["observedGeneration"] = sync.hpa["metadata"].get("generation", 1)
    if scaled is not None:
        status["currentReplicas"] = int(scaled["spec"].get("replicas", 1))
        status["currentMetrics"] = list(rows)
    status["desiredReplicas"] = int(old.get("desiredReplicas", 0)) if wanted is None else wanted
    if rescaled:
        status["lastScaleTime"] = stamp(sync.now)
    quiet = {**status, "currentMetrics": old.get("currentMetrics")}
    new = quiet != {**old, "currentMetrics": old.get("currentMetrics")} or bool(rows) != bool(old.get("currentMetrics"))
    if not status.get("currentMetrics"):
        status.pop("currentMetrics", None)
    if not new and sync.now - memory.told_s < TELL_S:
        return sync.actions, memory
    patches = status_patch(KIND, sync.hpa, status)
    return [*sync.actions, *patches], replace(memory, told_s=sync.now) if patches else memory
