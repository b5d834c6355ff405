"""The status of each container, as a kubelet reports it.

In: pod and facts. Out: `containerStatuses` and `initContainerStatuses`.
"""

from typing import Any

from madang.kinds.times import format_seconds
from madang.node.pod import restart, spec
from madang.node.pod.facts import Container, Facts
from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Exit
from madang.ports.objects import Obj

SCHEME = "madang"  # of container ids, where a kubelet names its runtime


def statuses(pod: Obj, facts: Facts) -> tuple[list[Obj], list[Obj]]:
    """(of init containers, of the others)."""
    served = facts.served
    inits = [_status(pod, r, facts.of(r.name), served) for r in spec.inits(pod)]
    return inits, [_status(pod, r, facts.of(r.name), served) for r in spec.mains(pod)]


def container_id(pod: Obj, name: str, attempt: int) -> str:
    return f"{SCHEME}://{pod['metadata']['uid']}/{name}/{attempt}"


def _status(pod: Obj, role: Role, c: Container, served: bool) -> Obj:
    known = c.attempt >= 0 and (c.running or c.exit or c.last)
    state, last = _states(pod, role, c)
    status: Obj = {
        "name": role.name,
        "image": c.image or role.spec.get("image", ""),
        "imageID": (c.image_id or c.image) if known else "",
        "ready": _ready(role, c, served),
        "restartCount": max(c.attempt, 0),
        "started": c.running is not None and c.started,
        "state": state,
        "lastState": last,
    }
    if known:
        status["containerID"] = container_id(pod, role.name, c.attempt)
        status["resources"] = role.spec.get("resources") or {}
    requests = (role.spec.get("resources") or {}).get("requests")
    if requests and known:
        status["allocatedResources"] = requests
    mounts = [_mount(m) for m in role.spec.get("volumeMounts") or ()]
    if mounts:
        status["volumeMounts"] = mounts
    return status


def _ready(role: Role, c: Container, served: bool) -> bool:
    if role.kind == "init":
        return c.running is None and c.exit is not None and c.exit.code == 0
    # Going down for its probe's sake, it leaves the Services that lead to it before it gets its signal.
    leaves = served and c.stop is not None and bool(c.unhealthy)
    return c.running is not None and c.ready and c.started and not leaves


def _states(pod: Obj, role: Role, c: Container) -> tuple[Obj, Obj]:
    before = {"terminated": _terminated(pod, role, c.attempt - 1, c.last)} if c.last else {}
    if c.running is not None:
        return {"running": {"startedAt": format_seconds(c.running.started_at_s)}}, before
    if c.exit is not None:
        ended = {"terminated": _terminated(pod, role, c.attempt, c.exit)}
        # One that was stopped for its probe's sake is never shown as ended: it waits at once.
        killed = c.stop is not None and c.unhealthy and c.short_runs > 1
        if c.replaced:  # the API lets none that has ended for good begin again: this one has not
            return {"waiting": {"reason": "ContainerCreating"}}, ended
        if c.backing_off or c.refusal or (killed and spec.restarts(pod, role, c.exit.code)):
            return {"waiting": _waiting(pod, role, c)}, ended
        return ended, before
    return {"waiting": _waiting(pod, role, c)}, before


def _waiting(pod: Obj, role: Role, c: Container) -> Obj:
    if c.refusal is not None:
        return {"reason": c.refusal.reason, "message": c.refusal.message}
    if c.exit is not None:
        return {"reason": "CrashLoopBackOff", "message": _back_off(pod, role, c)}
    return {"reason": "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"}


def _back_off(pod: Obj, role: Role, c: Container) -> str:
    delay = restart.text(restart.delay_s(c.short_runs))
    return f"back-off {delay} restarting failed container={role.name} pod={full_name(pod)}"


def full_name(pod: Obj) -> str:
    """NAME_NAMESPACE(UID), as a kubelet names a pod in its messages."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def _terminated(pod: Obj, role: Role, attempt: int, end: Exit) -> Obj:
    body: dict[str, Any] = {
        "exitCode": end.code,
        "reason": end.reason,
        "startedAt": format_seconds(end.started_at_s),
        "finishedAt": format_seconds(end.finished_at_s),
        "containerID": container_id(pod, role.name, attempt),
    }
    if end.message:
        body["message"] = end.message
    return body


def _mount(mount: Obj) -> Obj:
    shown: Obj = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        shown |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return shown
