"""A Job judged: how many should run, whether it is done or has failed too often, and the status that tells it.

In: the Job, its count. Out: numbers, yes or no, a status.
"""

from collections.abc import Sequence

from madang.control import pods as pod
from madang.control.conditions import find, made
from madang.control.instant import stamp
from madang.control.job.count import Count
from madang.control.job.indexes import indexed, written
from madang.ports.objects import Obj


def condition(type_: str, status: str, reason: str, message: str, now: float) -> Obj:
    """Of a Job: with the hour of the last probe."""
    return {**made(type_, status, reason, message, now), "lastProbeTime": stamp(now)}


def wanted_active(job: Obj, c: Count) -> int:
    parallelism, completions = int(job["spec"].get("parallelism", 1)), job["spec"].get("completions")
    if completions is None:  # a work queue: after the first success nobody new is sent in
        return len(c.active) if c.all_succeeded else parallelism
    return max(0, min(int(completions) - c.all_succeeded, parallelism))


def succeeded(job: Obj, c: Count, active: int) -> bool:
    completions = job["spec"].get("completions")
    if completions is None:
        return c.all_succeeded > 0 and active == 0
    return c.all_succeeded >= int(completions) and active == 0


def restarted_too_often(job: Obj, pods: Sequence[Obj], limit: int) -> bool:
    """With restartPolicy OnFailure the containers' restarts are the tries."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    total = sum(
        int(s.get("restartCount", 0))
        for p in pods
        if pod.phase(p) in ("Running", "Pending")
        for field in ("initContainerStatuses", "containerStatuses")
        for s in (p.get("status") or {}).get(field) or ()
    )
    return total > 0 if limit == 0 else total >= limit


def job_status(job: Obj, c: Count, conditions: list[Obj], active: int, started: str | None) -> Obj:
    named = {"succeeded": list(c.named_succeeded), "failed": list(c.named_failed)}
    remaining = [p for p in c.active if pod.ready(p)] if active else []
    status: Obj = {
        "active": active,
        "succeeded": c.succeeded,
        "failed": c.failed,
        "completedIndexes": written(c.done) if indexed(job) else "",
        "conditions": conditions,
        "startTime": started,
    }
    complete = find(conditions, "Complete")
    if complete is not None:
        status["completionTime"] = complete["lastTransitionTime"]
    status = {key: value for key, value in status.items() if value}
    status["ready"], status["terminating"] = len(remaining), c.terminating
    status["uncountedTerminatedPods"] = {way: uids for way, uids in named.items() if uids}
    return status
