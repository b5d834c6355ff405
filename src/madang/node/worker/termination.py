"""How a container's end is told: its termination message, the number of its stop signal.

In: the exit, the files that it left. Out: the exit with its message.
"""

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Exit
from madang.porch import standing

_FILE_BYTES = 4096
_LOG_BYTES, _LOG_LINES = 2048, 80


def with_message(end: Exit, role: Role, termination_log: Path, log: Path) -> Exit:
    if end.message:
        return end
    message = _tail(termination_log, _FILE_BYTES)
    if not message and role.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError" and end.code != 0:
        message = _last_lines(log)
    return replace(end, message=message)


def found_its_port_taken(end: Exit) -> bool:
    """By its last words: errno's text, or its name as Node.js and Go programs print it."""
    return end.code != 0 and ("ddress already in use" in end.message or "EADDRINUSE" in end.message)


def may_not_have_its_port(end: Exit, ports: Sequence[int]) -> int:
    """The low port that somebody who is not root was refused, by its last words; else 0."""
    low = next((port for port in ports if port < 1024), 0)
    refused = "ermission denied" in end.message or "EACCES" in end.message
    return low if end.code != 0 and refused and standing.user() != 0 else 0


def signal_number(name: str) -> int:
    """SIGTERM, TERM or 15. What names no signal is SIGTERM."""
    if name.isdigit():
        return int(name)
    upper = name.upper()
    found = getattr(signal, upper if upper.startswith("SIG") else f"SIG{upper}", signal.SIGTERM)
    return int(found)


def _tail(path: Path, size: int) -> str:
    try:
        with path.open("rb") as f:
            end = f.seek(0, 2)
            f.seek(max(end - size, 0))
            return f.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _last_lines(log: Path) -> str:
    """The text of the last log lines (CRI form: TIME STREAM TAG TEXT); what is tagged P has no end of its own."""
    lines = _tail(log, _LOG_BYTES * 4).split("\n")[-_LOG_LINES - 1 :]
    parts = [line.split(" ", 3) for line in lines if line.count(" ") >= 3]
    return "".join(text if tag == "P" else f"{text}\n" for _, _, tag, text in parts)[-_LOG_BYTES:]
