"""What a courtyard has on this machine, found without asking it: processes, links, mounts, namespaces, claims.

In: a courtyard's home. Out: pids with their start times, and the list of traces that must be empty once it is down.
"""

import json
import os
import signal
from pathlib import Path
from typing import Any

from madang.gateway.generations import SETTLED
from madang.node.networks import claims, namespaces
from madang.node.runtimes.monitor.record import ticks


def control(home: Path) -> int:
    return int(json.loads((home / "run" / "courtyard.json").read_bytes())["pid"])


def started(home: Path) -> dict[tuple[int, int], str]:
    """Everything that runs a pod's containers: (pid, start ticks) -> its record's file."""
    found: dict[tuple[int, int], str] = {}
    for path in (home / "pods").rglob("running.json"):
        told: dict[str, Any] = json.loads(path.read_bytes())
        for pid, since in ((told["pid"], told["startedTicks"]), (told["monitorPid"], told["monitorTicks"])):
            if pid and ticks(pid) == since:
                found[pid, since] = str(path)
    return found


def keeper(home: Path) -> int:
    return int(json.loads((home / "run" / "gateway.json").read_bytes())["keeper"])


def serving(home: Path) -> int:
    """HAProxy."""
    return int(json.loads((home / "run" / "gateway.json").read_bytes())["worker"]["pid"])


def settled(home: Path) -> bool:
    """Whether the newest files of the gateway say all that HAProxy knows: what it starts from when it is killed."""
    newest = max((home / "gateway").iterdir(), key=lambda path: int(path.name) if path.name.isdigit() else -1)
    return (newest / SETTLED).exists()


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def id_of(home: Path) -> str:
    return next((kept.id for kept in claims.kept_claims() if kept.home == str(home)), "")


def traces(id: str, home: Path) -> list[str]:
    """What is left of a courtyard that has this id."""
    left = [f"process {pid}: {words}" for pid, words in naming(str(home))]
    left += [f"link {p.name}" for p in Path("/sys/class/net").iterdir() if id in p.name]
    left += [f"mount {line.split()[1]}" for line in Path("/proc/mounts").read_text().splitlines() if id in line]
    left += [f"namespaces {namespaces.FOLDER / id}"] if (namespaces.FOLDER / id).exists() else []
    left += [f"claim {kept}" for kept in claims.kept_claims() if kept.home == str(home)]
    left += [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"**/madang-{id}")]
    run = home / "run"
    left += [f"file {p}" for p in run.iterdir() if p.name not in ("lock", "gateway.log")] if run.exists() else []
    return left


def naming(words: str) -> list[tuple[int, str]]:
    """Living processes whose command line has these words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if words in line and ticks(int(entry.name)) is not None:
                found.append((int(entry.name), line.strip()))
    return found
