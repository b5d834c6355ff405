"""Having a process of its own do what keeps a core busy, and hearing how far it is.

In: the module to run and its job, sent as a line of JSON. Out: the last word of the process: what it did, or
`{"error": ...}`, or `{"ended": ...}` where it said nothing. If the wait is cancelled the process is ended.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LINE = 1 << 20  # a line of progress is far shorter; the last lists digests


@dataclass(frozen=True, slots=True)
class Progress:
    """`done_bytes` of `total_bytes` of this layer's blob are done; `part` says which."""

    part: str
    done_bytes: int
    total_bytes: int


async def ask(module: str, job: Mapping[str, Any], progress: Callable[[Progress], None]) -> dict[str, Any]:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE
    )
    assert worker.stdin is not None and worker.stdout is not None
    last: dict[str, Any] | None = None
    try:
        # the pipe stays open: when we end, however we end, the worker reads its end and ends, too
        worker.stdin.write(json.dumps(job).encode() + b"\n")
        async for line in worker.stdout:
            said = json.loads(line)
            if "part" in said:
                progress(Progress(**said))
            else:
                last = said
                break
        return last if last is not None else {"ended": f"the worker ended early (status {await worker.wait()})"}
    finally:
        if worker.returncode is None:
            worker.stdin.close()
            try:
                await asyncio.wait_for(worker.wait(), 2)
            except TimeoutError:
                worker.kill()
                await worker.wait()
