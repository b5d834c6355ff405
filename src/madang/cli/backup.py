"""`madang backup`: a whole courtyard in one file, while it runs."""

import errno
import time
from pathlib import Path
from typing import Annotated

import typer

from madang.cli import courtyards
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, mebibytes, plain, print_json, say

File = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The file to make, or a folder for it; default: here.")
]


def backup(
    file: File = None,
    name: Name = DEFAULT,
    no_pause: Annotated[
        bool, typer.Option("--no-pause", help="Copy volumes while programs write: only if they can bear it.")
    ] = False,
    output: Output = "",
) -> None:
    """Take a backup of the courtyard, running or not: objects, volumes, its own keys, settings.

    Pods with volumes stand still for a moment each while the last of their files is copied (how long is printed), so
    the copy is as good as after a power cut. The file holds secrets: its mode is 0600.

    Example: `madang backup shop.tar.gz`
    """
    from madang.courtyard.backup.asking import Unanswered
    from madang.courtyard.backup.taking import take

    court = courtyards.find(name)
    if not (court.home / "state.db").exists():
        raise Refusal(f"the courtyard {name!r} does not exist: there is nothing to back up")
    target = placed(file, name)
    told = (lambda line: None) if output == AS_JSON else (lambda line: say(plain(line)))
    try:
        taken = take(court.home, name, target, runs=court.runs, pause=not no_pause, say=told)
    except Unanswered as error:
        raise Refusal(f"no backup was made: {error}") from error
    except OSError as error:
        raise Refusal(f"no backup was made: {explained(error, target)}") from error
    longest = max((pause.seconds for pause in taken.pauses), default=0.0)
    if output == AS_JSON:
        print_json(
            {
                "file": str(target), "bytes": taken.size_bytes, "seconds": round(taken.seconds, 3),
                "revision": taken.revision, "objects": taken.objects, "volumes": taken.volumes,
                "notInIt": taken.outside, "longestPauseSeconds": round(longest, 4),
                "pauses": [{"pods": p.pods, "seconds": round(p.seconds, 4)} for p in taken.pauses],
            }
        )  # fmt: skip
        return
    for path in taken.outside:
        say(plain(f"not in it, since it is yours: {path}"))
    say(
        plain(
            f"{target}: {taken.objects} objects at revision {taken.revision}, {len(taken.volumes)} volumes, "
            f"{mebibytes(taken.size_bytes)}, {taken.seconds:.1f} s; longest pause {longest * 1000:.0f} ms"
        )
    )


def placed(file: Path | None, name: str) -> Path:
    target = (file or Path.cwd()).absolute()
    if target.is_dir():
        target /= f"madang-{name}-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz"
    if target.exists():
        raise Refusal(f"{target} exists already, and a backup is not written over: give another name", code=2)
    if not target.parent.is_dir():
        raise Refusal(f"{target.parent} is no folder: make it, or give another place", code=2)
    return target


def explained(error: OSError, target: Path) -> str:
    if error.errno == errno.ENOSPC:
        return (
            f"the disk is full: free space on the file system of {error.filename or target.parent} (the volumes are "
            "copied in the courtyard's folder before they are packed)"
        )
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
