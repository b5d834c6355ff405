"""Which ids the user namespace has: the user as root, and the subordinate ids that the machine lends.

In: the texts of /etc/subuid and /etc/subgid, who asks. Out: lines of a map, command lines that write it. Pure.
"""

from __future__ import annotations

MOST = 1 << 16


def lent(text: str, name: str, number: int) -> tuple[int, int] | None:
    """(first, count) of the largest range that belongs to this user, by name or by number; see subuid(5)."""
    found = []
    for line in text.splitlines():
        owner, _, rest = line.strip().partition(":")
        start, _, count = rest.partition(":")
        if owner in (name, str(number)) and start.isdigit() and count.isdigit() and int(count):
            found.append((int(start), int(count)))
    return max(found, key=lambda one: one[1], default=None)


def single(number: int) -> str:
    """What everybody may write for oneself."""
    return f"0 {number} 1\n"


def command(program: str, pid: int, number: int, ids: tuple[int, int]) -> list[str]:
    """Of newuidmap or newgidmap: 0 is the user, 1 and on are lent."""
    start, count = ids
    return [program, str(pid), "0", str(number), "1", "1", str(start), str(min(count, MOST - 1))]
