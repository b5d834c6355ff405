"""What the name of an entry in a layer means: where it belongs, or what it hides.

In: the bytes of a name as an archive holds it. Out: a `Place`, or BadArchive. Absolute names belong below the layer's
root like all others; a name that climbs (`..`) is an attack and is refused. Pure.

Source: the layer format of the OCI image specification (whiteouts), and the names that aufs left in old layers.
"""

from dataclasses import dataclass
from enum import Enum

from madang.node.images.limits import LIMITS, BadArchive

HIDES, EMPTIES = b".wh.", b".wh..wh..opq"
INNER = b".wh..wh."  # aufs' own files (.wh..wh.plnk ...): they mean nothing to anybody else


class Meaning(Enum):
    ENTRY = "entry"
    WHITEOUT = "whiteout"  # the place is hidden in the layers below
    OPAQUE = "opaque"  # all that the layers below have in this folder is hidden
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Place:
    """`parts` from the root of the layer; empty is the root itself."""

    parts: tuple[bytes, ...]
    meaning: Meaning = Meaning.ENTRY


def parts_of(name: bytes) -> tuple[bytes, ...]:
    found = tuple(p for p in name.split(b"/") if p and p != b".")
    if b".." in found:
        raise BadArchive(f"{shown(name)} climbs out of its layer")
    if b"\0" in name:
        raise BadArchive(f"{shown(name)} holds a zero byte")
    if len(name) > LIMITS.name_bytes or len(found) > LIMITS.depth:
        raise BadArchive(f"{shown(name)} is too long: at most {LIMITS.name_bytes} bytes, {LIMITS.depth} folders deep")
    return found


def place(name: bytes) -> Place:
    parts = parts_of(name)
    if HIDES not in name or not parts:
        return Place(parts)
    *above, last = parts
    if last == EMPTIES:
        return Place(tuple(above), Meaning.OPAQUE)
    if any(p.startswith(INNER) for p in parts):
        return Place(parts, Meaning.NOTHING)
    if last.startswith(HIDES):
        hidden = last[len(HIDES) :]
        if hidden in (b"", b".", b".."):
            raise BadArchive(f"{shown(name)} hides nothing that has a name")
        return Place((*above, hidden), Meaning.WHITEOUT)
    return Place(parts)


def shown(name: bytes) -> str:
    """For messages: on one line, and not for ever."""
    text = ascii(name[:120].decode(errors="replace"))
    return f"{text}..." if len(name) > 120 else text
