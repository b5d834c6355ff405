"""What a Job needs next: the way through one decision (kubernetes pkg/controller/job syncJob).

In: the key and the view. Out: actions. Counting takes several decisions on purpose: name the ended pods in the
status, then let go of them, then count them and finish; each waits until the one before is on disk.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.conditions import find, holds
from madang.control.controller import Ref, Waker, wake_self
from madang.control.difference import status_patch
from madang.control.instant import seconds, stamp
from madang.control.job.count import AT_ONCE, FINALIZER, backoff_s, count, on_record, tracked
from madang.control.job.indexes import indexed, missing
from madang.control.job.judgement import condition, job_status, restarted_too_often, succeeded, wanted_active
from madang.control.job.pod import new_pod
from madang.control.owners import candidates, claim, controller_of, controller_ref, owner_ref, selecting
from madang.control.replicaset import surplus
from madang.ports.actions import Action, Create, Delete, Emit, Patch, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "job-controller"
KIND = "jobs.batch"
JOB_NAME = "batch.kubernetes.io/job-name"
MANAGER = "kubernetes.io/job-controller"
MISSING_FIELDS = ("podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes")
REACHED = "CompletionsReached", "Reached expected number of succeeded pods"
LIMIT = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
DEADLINE = "DeadlineExceeded", "Job was active longer than specified deadline"


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    return owner_ref(obj, "Job") if controller_of(obj) is not None else selecting(obj, KIND, view)


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, pod.PODS: wake_of_pod}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    job = view.get(KIND, ref.namespace, ref.name)
    if job is None:
        return [released(p) for p in orphans(ref, view)]
    if job["spec"].get("managedBy", MANAGER) != MANAGER:
        return []
    if unknown := [field for field in MISSING_FIELDS if field in job["spec"]]:
        text = f"This Job will not run: spec.{unknown[0]} is not supported yet. Remove it, or run the Job on a cluster."
        return [Emit(KIND, job, "Warning", "NotSupported", text)]
    selector = job["spec"].get("selector")
    claimed = claim(
        job,
        controller_ref(job, "batch/v1", "Job"),
        selector,
        pod.PODS,
        candidates(pod.PODS, ref.namespace, selector, job["metadata"]["uid"], view),
    )
    conditions = (job.get("status") or {}).get("conditions")
    if holds(conditions, "Complete") or holds(conditions, "Failed"):
        return [*(released(p) for p in claimed.mine if tracked(p)), *after_end(job, now)]
    if claimed.patches:
        return claimed.patches
    return Turn(job, claimed.mine, view, now, chance).actions()


def orphans(ref: Ref, view: View) -> list[Obj]:
    """Pods of a Job that is gone: nobody will count them."""
    return [
        p
        for p in view.list(pod.PODS, ref.namespace, labels={JOB_NAME: ref.name})
        if tracked(p) and (owner := controller_of(p)) and owner["kind"] == "Job" and owner["name"] == ref.name
    ]


def released(p: Obj) -> Patch:
    meta = p["metadata"]
    rest = [f for f in meta.get("finalizers") or () if f != FINALIZER]
    patch = {"metadata": {"finalizers": rest or None}}
    return Patch(
        pod.PODS, meta["namespace"], meta["name"], patch, uid=meta["uid"], revision=meta.get("resourceVersion")
    )


def after_end(job: Obj, now: float) -> list[Action]:
    """Gone so many seconds after its end, if the Job says so."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    if ttl is None or pod.deleting(job):
        return []
    conditions = (job.get("status") or {}).get("conditions")
    end = find(conditions, "Complete") or find(conditions, "Failed") or {}
    left = seconds(end.get("lastTransitionTime")) + int(ttl) - now
    if left > 0:
        return [Wake(left)]
    meta = job["metadata"]
    return [Delete(KIND, meta["namespace"], meta["name"], uid=meta["uid"], propagation="Foreground")]


class Turn:
    """One decision about a Job that has not finished."""

    def __init__(self, job: Obj, pods: Sequence[Obj], view: View, now: float, chance: Chance) -> None:
        self._job, self._pods, self._view, self._now, self._chance = job, pods, view, now, chance
        self._conditions: list[Obj] = list((job.get("status") or {}).get("conditions") or ())
        ending = find(self._conditions, "FailureTarget") or find(self._conditions, "SuccessCriteriaMet")
        self._count = count(job, pods, finished=ending is not None)
        self._events: list[Action] = []
        self._wakes: list[float] = []

    def actions(self) -> list[Action]:
        failure = self._failure()
        started = self._started()
        if failure or holds(self._conditions, "SuccessCriteriaMet"):
            changes: list[Action] = [self._deletion(p) for p in self._count.active]
        else:
            changes = self._manage()
        active = len(self._count.active) + sum(isinstance(a, Create) - isinstance(a, Delete) for a in changes)
        self._judge(failure, active)
        status = job_status(self._job, self._count, self._conditions, active, started)
        actions: list[Action] = [*changes, *status_patch(KIND, self._job, status)]
        if not any(isinstance(a, Patch) for a in actions):
            # Everything is on record: now the ended pods may go.
            actions += [released(p) for p in self._count.held if on_record(self._job, p, self._count)]
        return [*actions, *self._events, *(Wake(w) for w in self._wakes)]

    @property
    def _suspended(self) -> bool:
        return bool(self._job["spec"].get("suspend"))

    def _started(self) -> str | None:
        status = self._job.get("status") or {}
        if self._suspended:
            return None
        resumed = holds(self._conditions, "Suspended")
        return stamp(self._now) if resumed else status.get("startTime") or stamp(self._now)

    def _failure(self) -> tuple[str, str] | None:
        target = find(self._conditions, "FailureTarget")
        if target is not None:
            return target["reason"], target["message"]
        if holds(self._conditions, "SuccessCriteriaMet"):
            return None
        limit = int(self._job["spec"].get("backoffLimit", 6))
        if self._count.all_failed > limit or restarted_too_often(self._job, self._pods, limit):
            return LIMIT
        deadline, start = (
            self._job["spec"].get("activeDeadlineSeconds"),
            (self._job.get("status") or {}).get("startTime"),
        )
        if deadline is None or start is None or self._suspended:
            return None
        left = seconds(start) + int(deadline) - self._now
        if left > 0:
            self._wakes.append(left)
            return None
        return DEADLINE

    def _manage(self) -> list[Action]:
        """Pods made or deleted, so that as many run as should."""
        if pod.deleting(self._job):
            return []
        active = self._count.active
        if self._suspended:
            return self._dismissals(active)
        wanted = wanted_active(self._job, self._count)
        if len(active) > wanted:
            return self._dismissals(surplus(active, active, min(len(active) - wanted, AT_ONCE), self._now))
        room = wanted - len(active)
        if self._job["spec"].get("podReplacementPolicy") == "Failed":
            room -= self._count.terminating
        if room <= 0:
            return []
        if (wait := backoff_s(self._pods, self._now)) > 0:
            self._wakes.append(wait)
            return []
        return self._creations(min(room, AT_ONCE))

    def _creations(self, number: int) -> list[Action]:
        numbers: Sequence[int | None] = [None] * number
        if indexed(self._job):
            completions = int(self._job["spec"].get("completions") or 0)
            numbers = missing(self._count.active, set(self._count.done), completions, number)
        taken: set[str] = set()
        made_pods = [new_pod(self._job, n, taken, self._view, self._chance) for n in numbers]
        failed = Emit(KIND, self._job, "Warning", "FailedCreate", "Error creating: {error}")
        return [
            Create(pod.PODS, p, then=(self._told("SuccessfulCreate", f"Created pod: {p['metadata']['name']}"),),
                   otherwise=(failed,))
            for p in made_pods
        ]  # fmt: skip

    def _dismissals(self, pods: Sequence[Obj]) -> list[Action]:
        """Nobody's fault: these are let go of first, so that they don't count as failed."""
        return [*(released(p) for p in pods if tracked(p)), *(self._deletion(p) for p in pods)]

    def _deletion(self, p: Obj) -> Delete:
        meta = p["metadata"]
        told = self._told("SuccessfulDelete", f"Deleted pod: {meta['name']}")
        return Delete(pod.PODS, meta["namespace"], meta["name"], uid=meta["uid"], then=(told,))

    def _told(self, reason: str, message: str) -> Emit:
        return Emit(KIND, self._job, "Normal", reason, message)

    def _judge(self, failure: tuple[str, str] | None, active: int) -> None:
        """The conditions that this turn ends with."""
        if (
            failure is None
            and not holds(self._conditions, "SuccessCriteriaMet")
            and succeeded(self._job, self._count, active)
        ):
            self._append("SuccessCriteriaMet", *REACHED)
        elif failure is not None and find(self._conditions, "FailureTarget") is None:
            self._append("FailureTarget", *failure)
        elif self._settled(active):
            self._finish(failure)
        elif failure is None and not holds(self._conditions, "SuccessCriteriaMet"):
            self._mark_suspension(active)

    def _settled(self, active: int) -> bool:
        ending = find(self._conditions, "FailureTarget") or find(self._conditions, "SuccessCriteriaMet")
        return ending is not None and active == 0 and not self._count.terminating and not self._count.held

    def _finish(self, failure: tuple[str, str] | None) -> None:
        if failure is not None:
            self._append("Failed", *failure)
            self._events.append(Emit(KIND, self._job, "Warning", failure[0], failure[1]))
        else:
            self._append("Complete", *REACHED)
            self._events.append(self._told("Completed", "Job completed"))

    def _append(self, type_: str, reason: str, message: str) -> None:
        self._conditions.append(condition(type_, "True", reason, message, self._now))

    def _mark_suspension(self, active: int) -> None:
        present = find(self._conditions, "Suspended")
        if self._suspended and active == 0 and not holds(self._conditions, "Suspended"):
            new = condition("Suspended", "True", "JobSuspended", "Job suspended", self._now)
            self._events.append(self._told("Suspended", "Job suspended"))
        elif not self._suspended and present is not None and present["status"] == "True":
            new = condition("Suspended", "False", "JobResumed", "Job resumed", self._now)
            self._events.append(self._told("Resumed", "Job resumed"))
        else:
            return
        if present is None:
            self._conditions.append(new)
        else:
            self._conditions[self._conditions.index(present)] = new
