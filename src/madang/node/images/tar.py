"""Reading a tar archive as it flows by: strict, bounded, and about as quick as Python can be.

In: a `Feed` of bytes. Out: one `Entry` after the other; whoever takes one may read its bytes from the feed before the
next. Python's own tarfile takes a broken header for the end, reads extended headers of any size into memory, and needs
several times as long for a header; image layers are thousands of small files from strangers.

Formats: POSIX ustar and pax (path, linkpath, size, uid, gid, mtime, SCHILY.xattr.*), GNU long names and big numbers,
v7. Sparse files are refused by name: no builder of images writes them. Source: pax of POSIX.1-2017, tar(5) of GNU.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from madang.node.images.limits import LIMITS, BadArchive
from madang.node.images.names import shown

BLOCK = 512
FILE, LINK, SYMLINK, CHARACTER, DEVICE, FOLDER, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
_FILES = frozenset({b"0", b"\0", b"7"})
_BARE = frozenset({LINK, SYMLINK, CHARACTER, DEVICE, FOLDER, FIFO})  # whatever their size says, no bytes follow
_XATTR = b"SCHILY.xattr."
_ZEROS = bytes(BLOCK)
_SUM_MODULUS = 65521  # of adler32


class Feed(Protocol):
    """`take` returns exactly so many bytes (BadArchive where the stream ends before), `skip` passes over them."""

    def take(self, size: int, /) -> bytes: ...

    def skip(self, size: int, /) -> None: ...

    def at_end(self) -> bool: ...


@dataclass(slots=True)
class Entry:
    kind: bytes
    name: bytes
    link: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    xattrs: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Ahead:
    """What headers before an entry said of it."""

    pax: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    link: bytes = b""


def entries(feed: Feed) -> Iterator[Entry]:
    """Until the end mark, or the end of the stream between two entries. The bytes of an entry that nobody read are not
    passed over: the caller takes or skips `padded(entry.size)`."""
    everywhere: dict[bytes, bytes] = {}
    ahead = _Ahead()
    for _ in range(LIMITS.entries):
        if feed.at_end():
            return
        header = feed.take(BLOCK)
        if header == _ZEROS:
            return
        _check_sum(header)
        kind = header[156:157]
        if kind in b"xgLK":
            _look_ahead(feed, header, kind, ahead, everywhere)
            continue
        entry = _entry(header, kind)
        if everywhere or ahead.pax or ahead.name or ahead.link:
            _apply(entry, everywhere | ahead.pax, ahead)
            ahead = _Ahead()
        _settle(entry)
        yield entry
    raise BadArchive(f"more than {LIMITS.entries} entries")


def padded(size: int) -> int:
    return (size + BLOCK - 1) // BLOCK * BLOCK


def _check_sum(header: bytes) -> None:
    """The sum of all bytes, the field itself counted as blanks. adler32 adds bytes up a hundred times quicker than
    Python does; it only knows the sum modulo a prime, which is as good for finding damage."""
    found = zlib.adler32(header[:148] + b"        " + header[156:]) & 0xFFFF
    if (number(header[148:156]) + 1) % _SUM_MODULUS != found:
        raise BadArchive(f"no tar header where one is due, before {shown(header[:100].rstrip(bytes(1)))}")


def number(field: bytes) -> int:
    """Octal digits, or, marked by the first bit, the bytes of a big number (two's complement)."""
    first = field[0]
    if first & 0x80:
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        return value - (1 << (8 * len(field) - 1)) if first & 0x40 else value
    text = field.partition(b"\0")[0].strip()
    try:
        return int(text, 8) if text else 0
    except ValueError:
        raise BadArchive(f"a number in a tar header is {shown(field)}") from None


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _entry(header: bytes, kind: bytes) -> Entry:
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        name = _text(header[345:500]) + b"/" + name
    return Entry(
        kind, name, _text(header[157:257]), number(header[100:108]) & 0o7777, number(header[108:116]),
        number(header[116:124]), number(header[124:136]), number(header[136:148]) * 1_000_000_000,
    )  # fmt: skip


def _settle(entry: Entry) -> None:
    if entry.kind in _FILES:
        # before ustar a folder was a file whose name ends with a slash
        entry.kind = FOLDER if entry.kind == b"\0" and entry.name.endswith(b"/") else FILE
    elif entry.kind in _BARE:
        entry.size = 0
    elif entry.kind == b"S":
        raise BadArchive(f"{shown(entry.name)} is a sparse file of GNU tar: pack it without --sparse")
    else:
        raise BadArchive(f"{shown(entry.name)} is of the unknown type {shown(entry.kind)}")
    if entry.size < 0 or entry.uid < 0 or entry.gid < 0:
        raise BadArchive(f"{shown(entry.name)} has a negative size or owner")


def _look_ahead(feed: Feed, header: bytes, kind: bytes, ahead: _Ahead, everywhere: dict[bytes, bytes]) -> None:
    size = number(header[124:136])
    if not 0 <= size <= LIMITS.header_bytes:
        raise BadArchive(f"an extended header of {size} bytes: at most {LIMITS.header_bytes}")
    body = feed.take(padded(size))[:size]
    if kind == b"L":
        ahead.name = _text(body)
    elif kind == b"K":
        ahead.link = _text(body)
    else:
        (ahead.pax if kind == b"x" else everywhere).update(pax_records(body))


def pax_records(body: bytes) -> dict[bytes, bytes]:
    """`LENGTH KEY=VALUE` and a line feed, as often as there is room."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(body):
        blank = body.find(b" ", at, at + 20)
        digits = body[at:blank] if blank > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        record = body[blank + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if not equals or not record.endswith(b"\n") or at + length > len(body):
            raise BadArchive(f"an extended header holds {shown(body[at : at + 40])}")
        found[key] = value[:-1]
        at += length
    return found


def _apply(entry: Entry, pax: dict[bytes, bytes], ahead: _Ahead) -> None:
    entry.name, entry.link = ahead.name or entry.name, ahead.link or entry.link
    for key, value in pax.items():
        if key == b"path":
            entry.name = value
        elif key == b"linkpath":
            entry.link = value
        elif key == b"size":
            entry.size = _decimal(key, value)
        elif key == b"uid":
            entry.uid = _decimal(key, value)
        elif key == b"gid":
            entry.gid = _decimal(key, value)
        elif key == b"mtime":
            entry.mtime_ns = _nanoseconds(value)
        elif key.startswith(_XATTR):
            entry.xattrs[key[len(_XATTR) :]] = value
        elif key.startswith(b"GNU.sparse."):
            raise BadArchive(f"{shown(entry.name)} is a sparse file of GNU tar: pack it without --sparse")


def _decimal(key: bytes, value: bytes) -> int:
    if not value.isdigit() or len(value) > 19:
        raise BadArchive(f"an extended header says {shown(key)} is {shown(value)}")
    return int(value)


def _nanoseconds(value: bytes) -> int:
    seconds, _, fraction = value.partition(b".")
    sign = -1 if seconds.startswith(b"-") else 1
    whole = _decimal(b"mtime", seconds.removeprefix(b"-"))
    return sign * (whole * 1_000_000_000 + _decimal(b"mtime", fraction[:9].ljust(9, b"0")))
