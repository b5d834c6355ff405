"""Processes of a courtyard whose control and monitors are gone: who keeps its way in, and what nobody looks after.

In: a courtyard's home. Out: whether its gateway's keeper lives (it would bring HAProxy back, and hands its sockets to
the next control); the end of what has neither control, nor monitor, nor keeper.
"""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes.aftermath import end_marked
from madang.node.runtimes.monitor import record
from madang.porch import standing

GATEWAY = "gateway.json"  # written by the keeper: its pid, and HAProxy's with its start


def _gateway(home: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((home / "run" / GATEWAY).read_bytes())
        return told if isinstance(told, dict) else {}
    except (OSError, ValueError):
        return {}


def door_is_kept(home: Path) -> bool:
    """What we may not see counts as kept."""
    try:
        keeper = int(_gateway(home).get("keeper", 0))
        line = Path(f"/proc/{keeper}/cmdline").read_bytes() if keeper else b""
    except (FileNotFoundError, ProcessLookupError, ValueError, TypeError):
        return False
    except PermissionError:
        return True
    return os.fsencode(home / "run") in line


def end(home: Path) -> None:
    """The porch's end, SIGKILL to HAProxy without its keeper, and to programs without their monitors."""
    with suppress(OSError):
        standing.ask(str(home / "run"), {"op": "stop"}, patience_s=0.0)
    told = _gateway(home)
    with suppress(KeyError, TypeError, OSError):
        pid = int(told["worker"]["pid"])
        if record.alive(pid, told["ticks"]):
            os.kill(pid, signal.SIGKILL)
    for found in (home / "pods").glob(f"*/containers/*/*/{record.RUNNING}"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            running = record.read(found.parent, record.RUNNING)
            if running is None or record.alive(running["monitorPid"], running["monitorTicks"]):
                continue
            if record.alive(running["pid"], running["startedTicks"]):
                os.kill(running["pid"], signal.SIGKILL)
            end_marked(running)
