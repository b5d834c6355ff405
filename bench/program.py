"""The service of the benches: answers at once, or burns CPU first. Standard library only.

`python -I -S program.py PORT [MILLISECONDS [FILE]]`; listens on $HOST where that is given, and
says in FILE after how many milliseconds it did.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

BURN_S = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST"):
                await reader.readexactly(2)
            end = time.thread_time() + BURN_S
            while time.thread_time() < end:
                pass
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nhello, world")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def tell(file: Path) -> None:
    """What it needed by itself, since it was forked: CLOCK_BOOTTIME, as /proc/self/stat has it."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    own_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    with file.open("a") as lines:
        lines.write(f"{own_s * 1000:.1f}\n")


async def main() -> None:
    server = await asyncio.start_server(serve, os.environ.get("HOST", "0.0.0.0"), int(sys.argv[1]))
    if len(sys.argv) > 3:
        tell(Path(sys.argv[3]))
    await server.serve_forever()


asyncio.run(main())
