"""Takes over what a former control process started for a pod, exit codes included.

In: the pod, the folders of its starts, what the network still holds. Out: the facts as if we had been there all
the time. What left no record is read from the pod's own status.
"""

from typing import TYPE_CHECKING

from madang.node.kit import Kit
from madang.node.pod import spec
from madang.node.pod.container_status import seconds
from madang.node.pod.facts import Container, Facts
from madang.node.pod.phase import TERMINAL
from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Exit, Running, Runtime
from madang.node.termination import with_message
from madang.ports.objects import Obj

if TYPE_CHECKING:
    from madang.node.hand import Hand


def adopt(kit: Kit, pod: Obj, facts: Facts, hand: "Hand") -> None:
    status = pod.get("status") or {}
    if status.get("startTime"):
        facts.started_at_s = seconds(status["startTime"])
    attachment = kit.network.attached().get(str(pod["metadata"]["uid"]))
    if attachment is not None:
        hand.sandbox.attachment, facts.ip, facts.sandbox = attachment, attachment.ip, "ready"
    runtime = kit.runtime_of(pod)
    told = {c["name"]: c for k in ("initContainerStatuses", "containerStatuses") for c in status.get(k) or ()}
    for role in spec.roles(pod):
        c = facts.of(role.name)
        if runtime is not None:
            _from_disk(kit, runtime, role, c, hand)
        if c.attempt < 0 and role.name in told:
            _from_status(role, c, told[role.name], kit.clock.now_s())
        if c.attempt >= 0:
            c.image = role.spec.get("image") or ""
            c.ended_at_s = kit.clock.monotonic_s()
    running = [r for r in spec.roles(pod) if facts.of(r.name).running is not None]
    for role in running:
        _resume(kit, facts.of(role.name), told.get(role.name) or {})
        hand.containers.watch(role, _running(facts, role), adopted=True)
    if not running and status.get("phase") in TERMINAL and facts.sandbox == "none":
        facts.ip = status.get("podIP", "")


def _running(facts: Facts, role: Role) -> Running:
    found = facts.of(role.name).running
    assert found is not None
    return found


def _from_disk(kit: Kit, runtime: Runtime, role: Role, c: Container, hand: "Hand") -> None:
    for number in hand.folders.numbers(role.name):
        found = runtime.adopt(hand.folders.attempt(role.name, number))
        if found is None:
            continue
        if c.exit is not None:
            c.last = c.exit
        c.attempt, c.exit = number, None
        if isinstance(found, Exit):
            files = hand.folders.termination_log(role.name, number), hand.folders.log(role.name, number)
            c.exit = with_message(found, role, *files)
        else:
            c.running = found


def _from_status(role: Role, c: Container, told: Obj, now_s: float) -> None:
    """Its records are gone (the machine was started anew, or the courtyard went down in order)."""
    state = told.get("state") or {}
    ended = state.get("terminated") or (told.get("lastState") or {}).get("terminated")
    if "running" in state:
        since = seconds(state["running"]["startedAt"]) if state["running"].get("startedAt") else now_s
        c.exit = Exit(137, 9, since, now_s, "ContainerStatusUnknown", "The container was gone when its node came back")
    elif ended:
        times = [seconds(ended[k]) if ended.get(k) else now_s for k in ("startedAt", "finishedAt")]
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
