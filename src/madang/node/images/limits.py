"""What an archive may ask for: bounds that no honest image meets, so that a lying one fills neither disk nor memory.

In: nothing. Out: `LIMITS`, the two errors with which an archive is turned away, and what helps against a full disk.
"""

from dataclasses import dataclass


class BadArchive(ValueError):
    """The archive is broken, or tries something: the message says what and where."""


ROOM = "make room, for instance by `madang image prune --all`"


class NoRoom(Exception):
    """The disk would be full."""

    def __init__(self) -> None:
        super().__init__(f"less than {LIMITS.reserve_bytes >> 20} MiB would be left on the disk: {ROOM}")


@dataclass(frozen=True, slots=True)
class Limits:
    layer_bytes: int = 64 << 30  # of one layer, unpacked
    entries: int = 2_000_000  # of one layer
    ratio: int = 200  # unpacked to packed, beyond the first `free_ratio_bytes`: zeros pack a thousandfold
    free_ratio_bytes: int = 1 << 30
    document_bytes: int = 4 << 20  # a manifest, a configuration, an index: what registries allow
    header_bytes: int = 1 << 20  # the extended header of one tar entry
    name_bytes: int = 4096
    depth: int = 200  # folders in folders: deeper ones cannot be walked, nor removed, by everybody
    archive_entries: int = 100_000
    reserve_bytes: int = 256 << 20  # of the disk, left for everybody else


LIMITS = Limits()
