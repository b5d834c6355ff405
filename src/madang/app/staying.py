"""Whether an instance that is called ready also stays up, where nothing but its running says that it is ready. Pure.

A container without a TCP port and without a readiness or startup probe is ready the moment its process runs, also one
that ends a moment later, again and again. In: pods and the time. Out: why it is too early to believe them, or nothing.
"""

from collections.abc import Iterable
from datetime import datetime

from madang.ports.objects import Obj

FIRST_S = 2.0  # of a first run; the API's whole seconds make it one to two
AGAIN_S = 10.0  # after a run that failed: as long as the pause between restarts takes to begin anew
ASKED = ("readinessProbe", "startupProbe")


def doubt(pods: Iterable[Obj], now: float) -> str:
    for pod in pods:
        status = pod.get("status") or {}
        if status.get("phase") in ("Succeeded", "Failed"):
            continue
        specs = {c["name"]: c for c in pod["spec"].get("containers") or ()}
        for one in status.get("containerStatuses") or ():
            if silent(specs.get(one["name"], {})) and (text := too_early(one, now)):
                return text
    return ""


def silent(container: Obj) -> bool:
    ports = any(p.get("protocol", "TCP") == "TCP" for p in container.get("ports") or ())
    return not ports and not any(container.get(probe) for probe in ASKED)


def too_early(one: Obj, now: float) -> str:
    running = (one.get("state") or {}).get("running")
    ended = (one.get("lastState") or {}).get("terminated") or {}
    if running is None:
        return "does not run now"
    seconds = AGAIN_S if ended.get("exitCode") else FIRST_S
    if now - since(running.get("startedAt")) >= seconds:
        return ""
    return f"runs; whether it stays up for {seconds:.0f} s (no port and no health check says more)"


def since(text: str | None) -> float:
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return 0.0
