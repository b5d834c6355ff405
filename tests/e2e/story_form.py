"""The normal form of a recorded story: what chance, time and the machine wrote into it is left out.

In: a story as the corpus has it (states that a watch showed, events, the objects as they ended). Out: plain values that
are equal where two clusters did the same. Names keep their beginning, so a pod of one owner isn't taken for another's.
"""

import json
import re
from collections import Counter, defaultdict
from typing import Any

Row = dict[str, Any]

SAFE = "[bcdfghjklmnpqrstvwxz2456789]"  # what Kubernetes makes names' ends of
WORDS = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"\b\d{1,3}(\.\d{1,3}){3}\b", "ADDRESS"),
        (rf"-{SAFE}{{8,10}}(?![a-z0-9])", "-HASH"),
        (rf"-{SAFE}{{5}}(?![a-z0-9])", "-NAME"),
        (r"back-off \d+m?\d*s restarting", "back-off SO LONG restarting"),
        (r"ls: cannot access '([^']*)': ", r"ls: \1: "),  # two tools' words for the same
    )
)
TIMED = {"after_s"}
HASHES = {"pod-template-hash"}
# Told at every look: how often is a matter of how long and how often one looked.
AT_EVERY_LOOK = {
    "BackOff",
    "DeadlineExceeded",
    "ErrImageNeverPull",
    "Failed",
    "FailedMount",
    "FailedScheduling",
    "Unhealthy",
}

OFTEN = "as often as one looked"


def normal(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: normal(v, k) for k, v in value.items() if k not in TIMED}
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, str):
        for pattern, put in WORDS:
            value = pattern.sub(put, value)
        return "HASH" if key in HASHES else value
    return value


def lives(rows: list[Row]) -> dict[str, list[list[Row]]]:
    """Each object's states in their order, grouped by normal name: which of two equals was first is chance."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_name[row["name"]].append(leaving_uncounted(measured_less(normal(row))))
    grouped: dict[str, list[list[Row]]] = defaultdict(list)
    for states in by_name.values():
        told = [row for i, row in enumerate(states) if i == 0 or row != states[i - 1]]
        grouped[told[0]["name"]].append(told)
    return dict(grouped)


def measured_less(row: Row) -> Row:
    """Without the pod's memory limit as read back from its control group: what that says without a limit differs from
    kernel to kernel, and so does when it is gone."""
    resources = (row.get("status") or {}).get("resources")
    if resources is None or "memory" not in resources.get("limits", {}):
        return row
    limits = {k: v for k, v in resources["limits"].items() if k != "memory"}
    rest = {k: v for k, v in resources.items() if k != "limits"}
    return {**row, "status": {**row["status"], "resources": {**rest, "limits": limits} if limits else rest}}


def leaving_uncounted(row: Row) -> Row:
    """Without how many pods are on their way out at once: how long each takes is a track of its own."""
    status = row.get("status") or {}
    if "terminatingReplicas" not in status:
        return row
    return {**row, "status": {**status, "terminatingReplicas": "some or none"}}


def saw_leaving(rows: list[Row]) -> bool:
    return any((row.get("status") or {}).get("terminatingReplicas") for row in rows)


def events(rows: list[Row]) -> Counter[str]:
    counted = Counter(text({**normal(row), "count": often(row)}) for row in rows)
    return Counter({said: 1 if OFTEN in said else n for said, n in counted.items()})


def often(row: Row) -> Any:
    return OFTEN if row["reason"] in AT_EVERY_LOOK else row["count"]


def ends(objects: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The objects that were left, in an order that doesn't hang on the chance in their names."""
    return {kind: sorted((ended(kind, normal(o)) for o in left), key=text) for kind, left in objects.items()}


def ended(kind: str, obj: Row) -> Row:
    if kind == "endpointslices":  # its generation counts the writes, and two pods may come with one
        return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "generation"}}
    return rested(measured_less(obj))


def rested(obj: Row) -> Row:
    """A container that has ended and one that waits for its restart already are the same: that is a matter of time."""
    status = obj.get("status") or {}
    if status.get("phase") != "Running" or "containerStatuses" not in status:
        return obj
    return {**obj, "status": {**status, "containerStatuses": [_rested(c) for c in status["containerStatuses"]]}}


def _rested(container: Row) -> Row:
    if container["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff":
        return {**container, "state": container["lastState"], "lastState": "before"}
    return {**container, "lastState": "before"} if "terminated" in container["state"] else container


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def differences(want: Any, got: Any, at: str = "") -> list[str]:
    """Where two values differ, one line a place."""
    if isinstance(want, dict) and isinstance(got, dict):
        found = []
        for key in sorted({*want, *got}):
            if key not in want or key not in got:
                word, value = ("lacks", want[key]) if key in want else ("has also", got[key])
                found.append(f"{at}/{key}: {word} {text(value)[:160]}")
            else:
                found += differences(want[key], got[key], f"{at}/{key}")
        return found
    if isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            return [f"{at}: want {len(want)} of them, got {len(got)}"]
        return [line for i, pair in enumerate(zip(want, got, strict=True)) for line in differences(*pair, f"{at}/{i}")]
    return [] if want == got else [f"{at}: want {text(want)[:160]}, got {text(got)[:160]}"]
