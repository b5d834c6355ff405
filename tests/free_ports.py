"""Ports for tests: nobody else is given one between the moment that it is found free and the moment that it is used.

Out: a port number above those that the kernel hands out by itself and those that courtyards take. Each is given once by
a process, and workers that run beside each other (pytest-xdist) draw from parts of their own.
"""

import os
import random
import socket
from collections.abc import Iterator

ABOVE, WORKERS = range(61_000, 65_500), 4
ADDRESSES = ("127.0.0.1", "0.0.0.0")


def drawn() -> Iterator[int]:
    """Two runs on one machine at the same moment begin at places of their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = ABOVE[worker % WORKERS :: WORKERS]
    begin = random.SystemRandom().randrange(len(mine))
    yield from (*mine[begin:], *mine[:begin])


DRAWN = drawn()


def free_port() -> int:
    return next(port for port in DRAWN if free(port))


def free(port: int) -> bool:
    for address in ADDRESSES:
        try:
            socket.create_server((address, port)).close()
        except OSError:
            return False
    return True
