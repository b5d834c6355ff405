"""`madang break`: harms one instance of a service on purpose, to see it heal.

kill: SIGKILL to its program. hang: its processes stop answering (SIGSTOP) until a probe has them replaced or the time
is over. slow: they get a tenth of the time. What was stopped goes on afterwards by a small process of its own, so
that this command returns at once.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from madang.cli.courtyards import Courtyard, started_ticks
from madang.cli.house import ask, namespace_of, pods_of
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.refusal import Refusal
from madang.cli.screen import say
from madang.ports.api import Api
from madang.ports.objects import Obj

How = Literal["kill", "hang", "slow"]
STOPPED_S, RUNNING_S = 0.09, 0.01  # slow: of each tenth of a second


def harm(
    service: Service,
    how: Annotated[str, typer.Option("--how", help="kill, hang or slow.")] = "kill",
    seconds: Annotated[float, typer.Option("--for", help="hang, slow: for how long, at most.")] = 30,
    name: Name = DEFAULT,
    namespace: Namespace = "",
) -> None:
    """Harm one running instance of a service, to see how the rest carries on and how it heals.

    Example: `madang break catalog --how kill`
    """
    if how not in ("kill", "hang", "slow"):
        raise Refusal(f"--how {how}: expected kill, hang or slow", code=2)

    async def choose(api: Api, court: Courtyard) -> tuple[str, int]:
        where = namespace_of(court, namespace)
        running = [p for p in await pods_of(api, where, service) if p.get("status", {}).get("phase") == "Running"]
        for pod in running:
            if pid := program_of(court.home, pod):
                return pod["metadata"]["name"], pid
        raise Refusal(f"no instance of {service!r} runs now; nothing was harmed")

    pod, pid = ask(name, choose)
    if how == "kill":
        os.kill(pid, signal.SIGKILL)
        say(f"{pod}: killed (pid {pid}); watch it heal with `madang kubectl get pods -w`")
        return
    subprocess.Popen(
        [sys.executable, "-m", "madang.cli.harm", how, str(pid), str(started_ticks(pid)), str(seconds)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    say(f"{pod}: {'hangs' if how == 'hang' else 'is slow'} (pid {pid}) for {seconds:.0f} s at most")


def program_of(home: Path, pod: Obj) -> int | None:
    """The pid of the pod's first living program, from its monitor's record."""
    for path in (home / "pods" / pod["metadata"]["uid"]).rglob("running.json"):
        record = json.loads(path.read_bytes())
        if started_ticks(record["pid"]) == record["startedTicks"]:
            return int(record["pid"])
    return None


def tree(pid: int) -> list[int]:
    import psutil

    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def tell(pid: int, number: signal.Signals) -> None:
    for each in tree(pid):
        try:
            os.kill(each, number)
        except ProcessLookupError:
            continue


def afflict(how: str, pid: int, ticks: int, seconds: float) -> None:
    """Runs in a process of its own, until the time is over or the victim has been replaced."""
    deadline = time.monotonic() + seconds
    try:
        while started_ticks(pid) == ticks and (left := deadline - time.monotonic()) > 0:
            tell(pid, signal.SIGSTOP)
            time.sleep(min(left, STOPPED_S if how == "slow" else 0.5))
            if how == "slow":
                tell(pid, signal.SIGCONT)
                time.sleep(RUNNING_S)
    finally:
        if started_ticks(pid) == ticks:
            tell(pid, signal.SIGCONT)


if __name__ == "__main__":
    afflict(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
