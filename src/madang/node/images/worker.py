"""The process that unpacks: `python -m madang.node.images.worker`, one job, then it ends.

In: a `Job` as a line of JSON on standard input, which stays open: when it closes, whoever asked is gone, and so are we.
Out: lines of JSON on standard output: progress, then `{"loaded": [digests]}` or `{"error": message}`.
"""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.images.collection import bytes_to_free, make_room
from madang.node.images.layout import Layout
from madang.node.images.limits import ROOM, BadArchive, NoRoom
from madang.node.images.loading import take
from madang.node.images.store import Store

EVERY_S = 0.1
NICER = 5  # programs and probes come first


def say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def end_with_asker() -> None:
    sys.stdin.buffer.read()
    os._exit(3)


class Progress:
    """Told often, from any thread, it says it seldom: what is done whole, and of the rest something every `EVERY_S`."""

    def __init__(self) -> None:
        self._last = 0.0
        self._lock = threading.Lock()

    def __call__(self, part: str, done: int, total: int) -> None:
        with self._lock:
            now = time.monotonic()
            if done == total or now - self._last > EVERY_S:
                self._last = now
                say({"part": part, "done_bytes": done, "total_bytes": total})


def begin() -> dict[str, Any]:
    """The job; from now on this process ends with whoever asked."""
    job: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=end_with_asker, daemon=True).start()
    os.nice(NICER)
    return job


def disk_error(error: OSError, otherwise: str) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = f"the disk is full: {ROOM}" if full else error.strerror or error
    return f"{os.fsdecode(error.filename or otherwise)}: {why}"


def after(folder: str, digests: list[str], origin: str = "") -> None:
    """What is there is there, whether room could be made or not. `origin` is who gave it."""
    with suppress(OSError):
        store = Store(Path(folder))
        if bytes_to_free(store):
            forget_builds(store.layout.home.parent / ".build")
            make_room(store, time.time())
    say({"loaded": digests, "from": origin})


def forget_builds(cache: Path) -> None:
    """What builds keep goes before any image: it can be made again. A process of the room that knows it."""
    if cache.is_dir():
        words = [sys.executable, "-m", "madang.node.building.pruning", str(cache)]
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    job = begin()
    archive = job["archive"]
    try:
        loaded = take(Layout(Path(job["folder"])), Path(archive), Progress(), tuple(job["tags"]), job["platform"])
    except (BadArchive, NoRoom, ValueError) as error:
        say({"error": f"{archive}: {error}"})
    except OSError as error:
        say({"error": disk_error(error, archive)})
    else:
        after(job["folder"], loaded)
        return 0
    return 1


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the thread that waits for the asker would keep standard input locked
