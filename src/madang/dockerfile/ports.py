"""EXPOSE: ports, ranges of them, and their protocols. Pure."""

import re

from madang.dockerfile.refusal import Refused

PORT = re.compile(r"(\d+)(?:-(\d+))?")


def ports(text: str, line: int) -> list[str]:
    """`80`, `80/udp`, `8000-8002/tcp`; what stands before the last colon is for publishing, which no image does."""
    found, _, protocol = text.rpartition(":")[2].partition("/")
    numbers = PORT.fullmatch(found)
    protocol = protocol.lower() or "tcp"
    if not numbers or protocol not in ("tcp", "udp", "sctp"):
        raise Refused(line, f'EXPOSE {text}: expected a port like "80", "53/udp" or "8000-8002/tcp"')
    first = int(numbers[1])
    last = int(numbers[2] or first)
    if not first <= last <= 65535:
        raise Refused(line, f"EXPOSE {text}: a port is a number up to 65535, and a range runs upward")
    return [f"{number}/{protocol}" for number in range(first, last + 1)]
