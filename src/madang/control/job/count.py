"""Counting a Job's pods: who runs, who ended how, and what of it is on record already.

In: the Job and its pods. Out: a `Count`. A finished pod is first named in `uncountedTerminatedPods`, then loses its
finalizer, then is counted and no longer named: so it counts once, whatever is interrupted (KEP 2307).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from madang.control import pods as pod
from madang.control.instant import seconds
from madang.control.job.indexes import index_of, indexed, read
from madang.ports.objects import Obj

FINALIZER = "batch.kubernetes.io/job-tracking"
AT_ONCE = 500
BACKOFF_S, BACKOFF_MAX_S = 10.0, 600.0


@dataclass(frozen=True, slots=True)
class Count:
    """`succeeded`, `failed`: on record. `named_*`: ended, not on record yet (uids)."""

    active: list[Obj]
    terminating: int
    succeeded: int
    failed: int
    named_succeeded: tuple[str, ...]
    named_failed: tuple[str, ...]
    done: frozenset[int]  # succeeded indexes, of an Indexed Job
    held: list[Obj]  # ended pods that their finalizer still holds

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.named_succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.named_failed)


def tracked(p: Obj) -> bool:
    return FINALIZER in (p["metadata"].get("finalizers") or ())


def over(p: Obj, job: Obj, finished: bool) -> bool:
    """Whether the pod counts as ended: it has, or is on its way out and must be replaced at once."""
    early = job["spec"].get("podReplacementPolicy", "TerminatingOrFailed") == "TerminatingOrFailed"
    return pod.ended(p) or (pod.deleting(p) and (early or finished))


def count(job: Obj, pods: Sequence[Obj], finished: bool) -> Count:
    status = job.get("status") or {}
    uncounted = status.get("uncountedTerminatedPods") or {}
    held = {p["metadata"]["uid"]: p for p in pods if tracked(p)}
    named = {way: [uid for uid in uncounted.get(way) or () if uid in held] for way in ("succeeded", "failed")}
    counted = {way: int(status.get(way, 0)) + len(uncounted.get(way) or ()) - len(named[way]) for way in named}
    known = set(named["succeeded"]) | set(named["failed"])
    done = read(status.get("completedIndexes", "")) if indexed(job) else set()
    for uid, p in held.items():
        if len(known) >= AT_ONCE:
            break
        if uid in known or not over(p, job, finished):
            continue
        if pod.phase(p) == "Succeeded":
            if not indexed(job):
                named["succeeded"].append(uid)
            elif (index := index_of(p)) is not None and index < int(job["spec"].get("completions") or 0):
                done.add(index)
        else:
            named["failed"].append(uid)
        known.add(uid)
    return Count(
        active=[p for p in pods if pod.active(p)],
        terminating=sum(1 for p in pods if pod.terminating(p)),
        succeeded=len(done) if indexed(job) else counted["succeeded"],
        failed=counted["failed"],
        named_succeeded=tuple(named["succeeded"]),
        named_failed=tuple(named["failed"]),
        done=frozenset(done),
        held=[p for p in held.values() if over(p, job, finished)],
    )


def on_record(job: Obj, p: Obj, counted: Count) -> bool:
    """Whether the stored status already knows of this ended pod, so that its finalizer may go."""
    status, uid = job.get("status") or {}, p["metadata"]["uid"]
    uncounted = status.get("uncountedTerminatedPods") or {}
    if any(uid in (uncounted.get(way) or ()) for way in ("succeeded", "failed")):
        return True
    if indexed(job) and pod.phase(p) == "Succeeded":
        index = index_of(p)
        return index is None or index in read(status.get("completedIndexes", "")) or index not in counted.done
    return False


def ended_at_s(p: Obj) -> float:
    statuses = (p.get("status") or {}).get("containerStatuses") or ()
    ends = [((s.get("state") or {}).get("terminated") or {}).get("finishedAt") for s in statuses]
    known = [seconds(e) for e in ends if e]
    if known:
        return max(known)
    conditions = (p.get("status") or {}).get("conditions") or ()
    return max((seconds(c.get("lastTransitionTime")) for c in conditions), default=0.0)


def backoff_s(pods: Iterable[Obj], now: float) -> float:
    """How long to wait before the next try: 10 s after one failure, doubling, over again after a success."""
    ended = sorted((p for p in pods if pod.ended(p)), key=ended_at_s)
    failures, last = 0, 0.0
    for p in ended:
        failures = failures + 1 if pod.phase(p) == "Failed" else 0
        last = ended_at_s(p)
    if not failures:
        return 0.0
    wait = min(BACKOFF_S * float(1 << min(failures - 1, 10)), BACKOFF_MAX_S)
    return max(0.0, last + wait - now)
