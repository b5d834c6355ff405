"""Places many pending pods at once: each on the best node that takes it, or the reasons why none does.

In: the tally (which it fills with what it places, so that the next pod sees it) and the pods, in order of priority
and age. Out: one `Placed` or `Refused` a pod, the refusal in the scheduler's own words.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from madang.placement import storage
from madang.placement.filters import FILTERS, Candidate, Filter, Reason
from madang.placement.neighbours import Neighbours
from madang.placement.preemption import Preemption, preemption, still_going
from madang.placement.scores import best
from madang.placement.spreading import Spreading
from madang.placement.tally import Tally
from madang.placement.wants import Wants, read, refusals
from madang.ports.actions import Action
from madang.ports.objects import Obj

HOPE = "no new claims to deallocate, preemption: "


class Placed(NamedTuple):
    pod: Obj
    node: str


class Awaiting(NamedTuple):
    """It would go to this node, but its claims have to be bound first: `actions` see to that."""

    pod: Obj
    node: str
    actions: Sequence[Action]


class Refused(NamedTuple):
    pod: Obj
    message: str
    filters: frozenset[str]  # whose refusals something may change
    preemption: Preemption | None = None  # who must go so that it fits


def in_order(pods: Iterable[Obj]) -> list[Obj]:
    return sorted(
        pods,
        key=lambda p: (-int(p["spec"].get("priority") or 0), p["metadata"].get("creationTimestamp", ""),
                       p["metadata"].get("namespace", ""), p["metadata"]["name"]),
    )  # fmt: skip


def decide(tally: Tally, pods: Iterable[Obj]) -> list[Placed | Awaiting | Refused]:
    return [place(tally, pod) for pod in in_order(pods)]


def place(tally: Tally, pod: Obj) -> Placed | Awaiting | Refused:
    if told := refusals(pod):
        return Refused(pod, f"0/{len(tally)} nodes are available: {', '.join(told)}.", frozenset({"Unsupported"}))
    if not len(tally):
        return Refused(pod, "no nodes available to schedule pods", frozenset({"NoNodes"}))
    wants = read(pod)
    if wants.claims and (why := storage.refusal(tally.storage, pod)):
        text = f"0/{len(tally)} nodes are available: {why}. {HOPE}{helpless(0, len(tally))}"
        return Refused(pod, text, frozenset({"VolumeBinding"}))
    look = storage.look(tally.storage, pod)
    concerned = [f for f in FILTERS if f.concerns(wants, tally)]
    near, spreading = Neighbours(wants, tally), Spreading(wants, tally)
    fitting: list[Candidate] = []
    refused: dict[int, Sequence[Reason]] = {}
    names: set[str] = set()
    for i, node in enumerate(tally.nodes):
        if node is None:
            continue
        candidate = Candidate(wants, tally, near, spreading, i, look)
        by, reasons = first_refusal(concerned, candidate)
        if reasons:
            refused[i] = reasons
            names.add(by)
        else:
            fitting.append(candidate)
    if not fitting:
        return refusal(tally, pod, wants, refused, frozenset(names))
    winner = best(fitting).i
    chosen = tally.names[winner]
    if look.waiting:
        return Awaiting(pod, chosen, storage.binding(look, chosen, tally.labels[winner]))
    tally.seat(wants, chosen)
    return Placed(pod, chosen)


def refusal(
    tally: Tally, pod: Obj, wants: Wants, refused: Mapping[int, Sequence[Reason]], names: frozenset[str]
) -> Refused:
    """Why, and who would have to go."""
    curable = [i for i, reasons in refused.items() if all(r.curable for r in reasons)]
    nominated = str((pod.get("status") or {}).get("nominatedNodeName") or "")
    why = explanation(list(refused.values()))
    if wants.never_preempts:
        return Refused(pod, f"{why} {HOPE}not eligible due to preemptionPolicy=Never.", names)
    if nominated and still_going(tally, wants, nominated):
        return Refused(pod, f"{why} {HOPE}not eligible due to a terminating pod on the nominated node.", names)

    def fits(i: int) -> bool:
        concerned = [f for f in FILTERS if f.concerns(wants, tally)]
        look = storage.look(tally.storage, pod)
        candidate = Candidate(wants, tally, Neighbours(wants, tally), Spreading(wants, tally), i, look)
        return not first_refusal(concerned, candidate)[1]

    if (found := preemption(tally, wants, curable, fits)) is not None:
        return Refused(pod, why, names, found)
    return Refused(pod, f"{why} {HOPE}{helpless(len(curable), len(refused))}", names)


def first_refusal(filters: Sequence[Filter], candidate: Candidate) -> tuple[str, Sequence[Reason]]:
    for one in filters:
        if reasons := one.refuses(candidate):
            return one.name, reasons
    return "", ()


def explanation(refused: Sequence[Sequence[Reason]]) -> str:
    """`0/3 nodes are available: 1 Insufficient cpu, 2 ... .` (framework.FitError.Error)."""
    counts = Counter(reason.text for reasons in refused for reason in reasons)
    why = ", ".join(sorted(f"{n} {text}" for text, n in counts.items()))
    return f"0/{len(refused)} nodes are available: {why}."


def helpless(curable: int, total: int) -> str:
    """Why evicting others would not help, node by node."""
    counts = {"No preemption victims found for incoming pod": curable,
              "Preemption is not helpful for scheduling": total - curable}  # fmt: skip
    why = ", ".join(sorted(f"{n} {text}" for text, n in counts.items() if n))
    return f"0/{total} nodes are available: {why}."
