"""What a backup says of itself: the first thing in the file, read before anything else is believed.

In: JSON. Out: a `Manifest`; `Wrong` where the file is none, or is newer than this Madang.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
HEAD = "madang-backup.json"  # the first member
SEAL = "seal.json"  # the last one: how many there are, and a digest of all
STATE = "state.db"


class Wrong(Exception):
    """This file cannot be put back; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`home` is the folder that it was taken from: paths below it are rewritten where it is put back elsewhere."""

    name: str
    home: str
    version: str  # of the Madang that took it
    taken_at: str
    revision: int
    volumes: tuple[str, ...]  # below the home
    outside: tuple[str, ...]  # folders that pods use and that are not the courtyard's: they are not in the file

    def text(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()


def read(text: bytes) -> Manifest:
    try:
        told: Mapping[str, Any] = json.loads(text)
        number = int(told["format"])
    except (ValueError, LookupError, TypeError) as error:
        raise Wrong(f"is no backup of a courtyard: its {HEAD} cannot be read") from error
    if number > FORMAT:
        raise Wrong(
            f"was written by a newer Madang (its format is {number}, this Madang knows up to {FORMAT}): put it back "
            f"with Madang {told.get('version', 'of that time')} or a newer one"
        )
    try:
        return Manifest(
            name=str(told["name"]),
            home=str(told["home"]),
            version=str(told["version"]),
            taken_at=str(told["taken_at"]),
            revision=int(told["revision"]),
            volumes=tuple(map(str, told["volumes"])),
            outside=tuple(map(str, told["outside"])),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise Wrong(f"is damaged: its {HEAD} lacks {error}") from error
