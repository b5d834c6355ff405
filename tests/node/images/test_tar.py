"""Headers of every dialect, and archives that lie about themselves."""

import io
import tarfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images import tar
from madang.node.images.limits import LIMITS, BadArchive
from tests.node.images.made import member
from tests.node.images.made import tar as packed


class Whole:
    """A feed over bytes."""

    def __init__(self, body: bytes) -> None:
        self.file = io.BytesIO(body)
        self.size = len(body)

    def at_end(self) -> bool:
        return self.file.tell() >= self.size

    def take(self, size: int) -> bytes:
        found = self.file.read(size)
        if len(found) != size:
            raise BadArchive("ends")
        return found

    def skip(self, size: int) -> None:
        self.take(size)


def read(body: bytes) -> list[tuple[tar.Entry, bytes]]:
    feed, found = Whole(body), []
    for entry in tar.entries(feed):
        found.append((entry, feed.take(tar.padded(entry.size))[: entry.size]))
    return found


TEXT = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"]), min_size=1, max_size=130)
NUMBERS = st.integers(0, 2**40)


@given(
    format=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    files=st.lists(st.tuples(TEXT, st.binary(max_size=1100), NUMBERS, NUMBERS, st.integers(0, 0o7777)), max_size=5),
)
def test_what_python_packs(format: int, files: list[tuple[str, bytes, int, int, int]]) -> None:
    body = packed(*(member(n, b, uid=u, mtime=t, mode=m) for n, b, u, t, m in files), format=format)
    found = [(e.name.decode(), b, e.uid, e.mtime_ns // 10**9, e.mode) for e, b in read(body)]
    assert found == [(n.rstrip("/") or n, b, u, t, m) for n, b, u, t, m in files]


def test_kinds_and_links() -> None:
    long = "x/" * 90 + "end"
    for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        body = packed(
            member("d", type=tarfile.DIRTYPE),
            member("s", type=tarfile.SYMTYPE, linkname=long),
            member("h", type=tarfile.LNKTYPE, linkname="d/f"),
            member("p", type=tarfile.FIFOTYPE),
            member("c", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
            format=format,
        )
        found = [(e.kind, e.link) for e, _ in read(body)]
        assert found == [(b"5", b""), (b"2", long.encode()), (b"1", b"d/f"), (b"6", b""), (b"3", b"")]


def test_extended_attributes_and_fine_times() -> None:
    info, body = member("f", b"x")
    info.pax_headers = {"SCHILY.xattr.user.a": "b=c\n", "mtime": "12.345678912", "path": "other", "uid": "70000"}
    ((entry, _),) = read(packed((info, body)))
    assert entry.xattrs == {b"user.a": b"b=c\n"} and entry.mtime_ns == 12_345_678_912 and entry.uid == 70000
    assert entry.name == b"other"


def test_headers_of_one_entry_say_nothing_of_the_next() -> None:
    info, body = member("f", b"x")
    info.pax_headers = {"SCHILY.xattr.user.a": "b"}
    assert [e.xattrs for e, _ in read(packed((info, body), member("g", b"y")))] == [{b"user.a": b"b"}, {}]


def header(**changes: bytes) -> bytearray:
    """Of one empty file, changed at (offset), its sum made right again."""
    found = bytearray(tarfile.TarInfo("f").tobuf(tarfile.GNU_FORMAT))
    for at, value in changes.items():
        found[int(at[1:]) : int(at[1:]) + len(value)] = value
    found[148:156] = b"%06o\0 " % sum(found[:148] + b" " * 8 + found[156:])
    return found


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"x" * 512, "a number in a tar header"),
        (bytes(header())[:300], "ends"),
        (bytes(header()).replace(b"f\0", b"g\0", 1), "no tar header"),
        (bytes(header(_156=b"S")), "sparse"),
        (bytes(header(_156=b"V")), "unknown type"),
        (bytes(header(_124=b"\xff" * 12)), "negative"),
        (bytes(header(_124=b"0000008000\0")), "a number"),
        (bytes(header(_156=b"L", _124=b"%011o\0" % (LIMITS.header_bytes + 1))), "extended header of"),
        (bytes(header(_156=b"x", _124=b"%011o\0" % 10)) + b"99 path=a\n".ljust(512, b"\0"), "extended header holds"),
        (bytes(header(_156=b"x", _124=b"%011o\0" % 9)) + b"9 size=x\n".ljust(512, b"\0") + bytes(header()), "size"),
        (bytes(header()) + b"\1" * 512, "a number"),
    ],
)
def test_refused(body: bytes, says: str) -> None:
    with pytest.raises(BadArchive, match=says):
        read(body)


@given(st.binary(max_size=1600), st.integers(0, 600), st.binary(min_size=1, max_size=20))
def test_damage_never_breaks_the_reader(junk: bytes, at: int, bytes_there: bytes) -> None:
    good = bytearray(packed(member("f", b"body"), member("g" * 200, b"x")))
    good[at : at + len(bytes_there)] = bytes_there
    for body in (junk, bytes(good)):
        with suppress(BadArchive):
            read(body)


def test_big_numbers() -> None:
    assert tar.number(b"\x80" + b"\0" * 6 + b"\x01") == 1
    assert tar.number(b"\xff" * 8) == -1
    assert tar.number(b"0000644\0") == 0o644 and tar.number(b" 644 \0\0\0") == 0o644 and tar.number(bytes(8)) == 0
