"""Completion indexes of Indexed Jobs: `0,2-4` and back, and which index a pod has.

In: text or sets of numbers. Out: the other one (kubernetes pkg/controller/job indexed_job_utils.go).
"""

from collections.abc import Iterable

from madang.ports.objects import Obj

INDEX = "batch.kubernetes.io/job-completion-index"


def indexed(job: Obj) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Obj) -> int | None:
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


def read(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def written(numbers: Iterable[int]) -> str:
    """Runs of three and more are written as FIRST-LAST, two neighbours as A,B."""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    parts = []
    for run in runs:
        parts.append(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(str(n) for n in run))
    return ",".join(parts)


def missing(active: Iterable[Obj], done: set[int], completions: int, count: int) -> list[int]:
    """The lowest indexes that neither run nor are done."""
    taken = done | {i for p in active if (i := index_of(p)) is not None}
    found: list[int] = []
    for n in range(completions):
        if len(found) == count:
            break
        if n not in taken:
            found.append(n)
    return found
