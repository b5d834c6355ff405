"""Whether waiting on can still make an application ready: `up` need not sit out its time before a loop. Pure.

In: the states of the services, the objects behind them, when waiting began. Out: yes or no. There is no hope where each
service that isn't ready has ended for good, or falls again and again although all others were ready before its last
try, or waits for such a one. Whatever still starts may yet be what the others fall for.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.app.application import ServiceState
from madang.app.progress import IN_VAIN, grouped, is_ready
from madang.app.staying import since
from madang.ports.objects import Obj

TRIES = 5  # falls of one container: the last pause before it was eight seconds


def hopeless(states: Sequence[ServiceState], jobs: Iterable[Obj], pods: Iterable[Obj], begun_s: float) -> bool:
    ended = {o["metadata"]["name"] for o in jobs if failed(o)}
    pods = list(pods)
    mine = grouped(pods)
    rest = [s for s in states if s.state not in ("ready", "done")]
    lost = [s for s in rest if s.service in ended or s.detail.startswith(IN_VAIN) or falls(s.service, mine, begun_s)]
    return bool(lost) and all(s in lost or waits(mine.get(s.service, [])) for s in rest)


def failed(job: Obj) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Failed" and c["status"] == "True" for c in conditions)


def waits(pods: Sequence[Obj]) -> bool:
    """For what it depends on: it will not even be tried before."""
    return bool(pods) and all(pod["spec"].get("schedulingGates") for pod in pods)


def falls(service: str, mine: Mapping[str, Sequence[Obj]], begun_s: float) -> bool:
    """Each of its pods that isn't ready has ended for good or falls again and again."""
    down = [pod for pod in mine.get(service, ()) if not is_ready(pod)]
    others = [ready_since(pod) for name, pods in mine.items() if name != service for pod in pods]
    return bool(down) and all(over(pod) or loops(pod, max([begun_s, *others])) for pod in down)


def over(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") == "Failed" and not pod["metadata"].get("ownerReferences")


def loops(pod: Obj, after_s: float) -> bool:
    """Its last try began after that, and failed nevertheless. Times are whole seconds."""
    status = pod.get("status") or {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (one.get("state") or {}).get("waiting") or {}
        last = (one.get("lastState") or {}).get("terminated") or {}
        if waiting.get("reason") == "CrashLoopBackOff" and one.get("restartCount", 0) >= TRIES:
            return since(last.get("startedAt")) > after_s
    return False


def ready_since(pod: Obj) -> float:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    good = (c for c in conditions if c["type"] == "Ready" and c["status"] == "True")
    return max((since(c.get("lastTransitionTime")) for c in good), default=0.0)
