"""Places many pending pods at once: each on the best node that takes it, or the reasons why none does.

In: the tally (which it fills with what it places, so that the next pod sees it) and the pods, in order of priority
and age. Out: one `Placed` or `Refused` a pod, the refusal in the scheduler's own words.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from madang.placement.filters import FILTERS, Candidate, Filter, Reason
from madang.placement.neighbours import Neighbours
from madang.placement.scores import best
from madang.placement.spreading import Spreading
from madang.placement.tally import Tally
from madang.placement.wants import Wants, read, refusals
from madang.ports.objects import Obj


class Placed(NamedTuple):
    pod: Obj
    node: str


class Refused(NamedTuple):
    pod: Obj
    message: str
    filters: frozenset[str]  # whose refusals something may change


def in_order(pods: Iterable[Obj]) -> list[Obj]:
    return sorted(
        pods,
        key=lambda p: (-int(p["spec"].get("priority") or 0), p["metadata"].get("creationTimestamp", ""),
                       p["metadata"].get("namespace", ""), p["metadata"]["name"]),
    )  # fmt: skip


def decide(tally: Tally, pods: Iterable[Obj]) -> list[Placed | Refused]:
    return [place(tally, pod) for pod in in_order(pods)]


def place(tally: Tally, pod: Obj) -> Placed | Refused:
    if told := refusals(pod):
        return Refused(pod, f"0/{len(tally)} nodes are available: {', '.join(told)}.", frozenset({"Unsupported"}))
    if not len(tally):
        return Refused(pod, "no nodes available to schedule pods", frozenset({"NoNodes"}))
    wants = read(pod)
    near, spreading = Neighbours(wants, tally), Spreading(wants, tally)
    concerned = [f for f in FILTERS if f.concerns(wants, tally)]
    fitting: list[Candidate] = []
    refused: list[Sequence[Reason]] = []
    names: set[str] = set()
    for i, node in enumerate(tally.nodes):
        if node is None:
            continue
        candidate = Candidate(wants, tally, near, spreading, i)
        by, reasons = first_refusal(concerned, candidate)
        if reasons:
            refused.append(reasons)
            names.add(by)
        else:
            fitting.append(candidate)
    if not fitting:
        lesser = any(seat.wants.priority < wants.priority for seats in tally.seats for seat in seats.values())
        return Refused(pod, explanation(refused, wants, lesser), frozenset(names))
    chosen = tally.names[best(fitting).i]
    tally.seat(wants, chosen)
    return Placed(pod, chosen)


def first_refusal(filters: Sequence[Filter], candidate: Candidate) -> tuple[str, Sequence[Reason]]:
    for one in filters:
        if reasons := one.refuses(candidate):
            return one.name, reasons
    return "", ()


def explanation(refused: Sequence[Sequence[Reason]], wants: Wants, lesser: bool) -> str:
    """`0/3 nodes are available: 1 Insufficient cpu, 2 ... . preemption: ...` (framework.FitError.Error)."""
    counts = Counter(reason.text for reasons in refused for reason in reasons)
    why = ", ".join(sorted(f"{n} {text}" for text, n in counts.items()))
    told = preemption(refused, wants, lesser)
    return f"0/{len(refused)} nodes are available: {why}. no new claims to deallocate, preemption: {told}"


def preemption(refused: Sequence[Sequence[Reason]], wants: Wants, lesser: bool) -> str:
    """Whether evicting others would help. Nobody is evicted here: where lesser pods stand, that is said."""
    if wants.never_preempts:
        return "not eligible due to preemptionPolicy=Never."
    curable = sum(1 for reasons in refused if all(r.curable for r in reasons))
    victims = (
        "Preemption is not supported by this scheduler" if lesser else "No preemption victims found for incoming pod"
    )
    counts = {victims: curable, "Preemption is not helpful for scheduling": len(refused) - curable}
    why = ", ".join(sorted(f"{n} {text}" for text, n in counts.items() if n))
    return f"0/{len(refused)} nodes are available: {why}."
