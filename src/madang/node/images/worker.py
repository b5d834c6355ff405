"""The process that unpacks: `python -m madang.node.images.worker`, one job, then it ends.

In: a `Job` as a line of JSON on standard input, which stays open: when it closes, whoever asked is gone, and so are we.
Out: lines of JSON on standard output: progress, then `{"loaded": [digests]}` or `{"error": message}`.
"""

import errno
import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.images.collection import make_room
from madang.node.images.layout import Layout
from madang.node.images.limits import BadArchive, NoRoom
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


def main() -> int:
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=end_with_asker, daemon=True).start()
    os.nice(NICER)
    last = 0.0

    def progress(part: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last > EVERY_S:
            last = now
            say({"part": part, "done_bytes": done, "total_bytes": total})

    archive = job["archive"]
    try:
        loaded = take(Layout(Path(job["folder"])), Path(archive), progress, tuple(job["tags"]), job["platform"])
    except (BadArchive, ValueError) as error:
        say({"error": f"{archive}: {error}"})
    except NoRoom as error:
        say({"error": f"{archive}: {error}"})
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        say({"error": f"{os.fsdecode(error.filename or archive)}: {reason}"})
    else:
        with suppress(OSError):  # what was loaded is there all the same
            make_room(Store(Path(job["folder"])), time.time())
        say({"loaded": loaded})
        return 0
    return 1


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the thread that waits for the asker would keep standard input locked
