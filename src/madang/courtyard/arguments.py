"""What the control process is told on its command line, and what it keeps of it for the next start.

In: argv and `settings.json` in the courtyard's home. Out: `Arguments`. What is not said stays as it was the last time.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

KEPT = ("nodes", "runtime", "listen")
FORMAT = 1  # of what is kept; what a newer Madang wrote is not believed


@dataclass(frozen=True, slots=True)
class Arguments:
    """`network` empty: the best that works here. `api_port` 0: the last one if it is free, else any."""

    name: str
    home: Path
    ready_fd: int = -1
    lock_fd: int = -1
    told_fd: int = -1
    nodes: int = 1
    runtime: str = "auto"
    network: str = ""
    listen: str = "127.0.0.1"
    api_port: int = 0
    then_stop: bool = False


def parse(argv: list[str]) -> Arguments:
    parser = argparse.ArgumentParser(
        prog="python -m madang.courtyard", description="The control process of a courtyard."
    )
    parser.add_argument("--name", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--ready-fd", type=int, default=-1, help="where to say that it is ready, or why it is not")
    parser.add_argument("--lock-fd", type=int, default=-1, help="the courtyard's lock, taken by whoever starts us")
    parser.add_argument("--told-fd", type=int, default=-1, help="a socket: wait there for all other words")
    parser.add_argument("--nodes", type=int)
    parser.add_argument("--runtime", choices=("auto", "host"))
    parser.add_argument("--network", choices=("bridge", "loopback"))
    parser.add_argument("--listen")
    parser.add_argument("--api-port", type=int)
    parser.add_argument("--then-stop", action="store_true", help="take over what runs, stop it all, and end")
    given = {key: value for key, value in vars(parser.parse_args(argv)).items() if value is not None}
    return Arguments(**{**kept(given["home"]), **given})


def kept(home: Path) -> dict[str, Any]:
    """What was kept; nothing where there is nothing readable (it is a convenience, never the truth)."""
    try:
        found = json.loads((home / "settings.json").read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("format", FORMAT) > FORMAT:
        return {}
    return {key: found[key] for key in KEPT if key in found}


def keep(arguments: Arguments) -> None:
    """Writes down what the next start should find."""
    values = {"format": FORMAT, **{key: value for key, value in asdict(arguments).items() if key in KEPT}}
    aside = arguments.home / ".settings.json.new"
    aside.write_text(json.dumps(values, indent=1))
    aside.replace(arguments.home / "settings.json")
