"""Takes over what a former control process started for a pod, exit codes included.

In: the pod, the folders of its starts, what the network still holds. Out: the facts as if we had been there all
the time. What left no record is read from the pod's own status.
"""

from madang.kinds.phase import TERMINAL
from madang.kinds.times import parse
from madang.node.kit import Kit
from madang.node.launch.folders import Folders
from madang.node.pod import spec
from madang.node.pod.facts import Container, Facts
from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Exit, Running, Runtime
from madang.node.worker.following import Following
from madang.node.worker.sandbox import SandboxHand
from madang.node.worker.termination import with_message
from madang.node.worker.work import PodWork
from madang.ports.objects import Obj


def adopt(work: PodWork, sandbox: SandboxHand, following: Following) -> None:
    kit, pod, facts = work.kit, work.pod, work.facts
    status = pod.get("status") or {}
    if status.get("startTime"):
        facts.started_at_s = parse(status["startTime"])
    attachment = kit.network.attached().get(work.uid)
    if attachment is not None:
        sandbox.attachment, facts.ip, facts.sandbox = attachment, attachment.ip, "ready"
    runtime = work.chosen.runtime
    told = {c["name"]: c for k in ("initContainerStatuses", "containerStatuses") for c in status.get(k) or ()}
    for role in spec.roles(pod):
        c = facts.of(role.name)
        if runtime is not None:
            _from_disk(work.folders, runtime, role, c)
        if c.attempt < 0 and role.name in told:
            _from_status(c, told[role.name], kit.clock.now_s())
        if c.attempt >= 0:
            c.image = role.spec.get("image") or ""
            c.image_id = (told.get(role.name) or {}).get("imageID", "")
            c.ended_at_s = kit.clock.monotonic_s()
    running = [r for r in spec.roles(pod) if facts.of(r.name).running is not None]
    for role in running:
        _resume(kit, facts.of(role.name), told.get(role.name) or {})
        following.watch(role, _running(facts, role), adopted=True)
    if not running and status.get("phase") in TERMINAL and facts.sandbox == "none":
        facts.ip = status.get("podIP", "")


def _running(facts: Facts, role: Role) -> Running:
    found = facts.of(role.name).running
    assert found is not None
    return found


def _from_disk(folders: Folders, runtime: Runtime, role: Role, c: Container) -> None:
    for number in folders.numbers(role.name):
        found = runtime.adopt(folders.attempt(role.name, number))
        if found is None:
            continue
        if c.exit is not None:
            c.last = c.exit
        c.attempt, c.exit = number, None
        if isinstance(found, Exit):
            files = folders.termination_log(role.name, number), folders.log(role.name, number)
            c.exit = with_message(found, role, *files)
        else:
            c.running = found


def _from_status(c: Container, told: Obj, now_s: float) -> None:
    """Its records are gone (the machine was started anew, or the courtyard went down in order)."""
    state = told.get("state") or {}
    ended = state.get("terminated") or (told.get("lastState") or {}).get("terminated")
    if "running" in state:
        since = parse(state["running"]["startedAt"]) if state["running"].get("startedAt") else now_s
        c.exit = Exit(137, 9, since, now_s, "ContainerStatusUnknown", "The container was gone when its node came back")
    elif ended:
        times = [parse(ended[k]) if ended.get(k) else now_s for k in ("startedAt", "finishedAt")]
        c.exit = Exit(
            int(ended["exitCode"]), int(ended.get("signal") or 0), times[0], times[1], ended.get("reason") or "Error",
            ended.get("message") or "",
        )  # fmt: skip
    else:
        return
    c.attempt = int(told.get("restartCount") or 0)


def _resume(kit: Kit, c: Container, told: Obj) -> None:
    """What the probes had found out before."""
    c.started, c.ready = bool(told.get("started")), bool(told.get("ready"))
    if c.ready and c.running is not None:
        lived = max(kit.clock.now_s() - c.running.started_at_s, 0.0)
        c.ready_since_s = kit.clock.monotonic_s() - lived
