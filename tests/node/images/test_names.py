"""Where the names of a layer lead: below its root, always."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images.limits import LIMITS, BadArchive
from madang.node.images.names import Meaning, place

PIECES = st.sampled_from([b"a", b"b", b".", b"..", b"", b".wh.a", b".wh..wh..opq", b".wh.", b".wh...", b"\xff", b" "])
NAMES = st.lists(PIECES, max_size=6).map(b"/".join) | st.binary(max_size=30)


@pytest.mark.parametrize(
    ("name", "parts", "meaning"),
    [
        (b"./", (), Meaning.ENTRY),
        (b"/etc/passwd", (b"etc", b"passwd"), Meaning.ENTRY),
        (b"./a//b/./c/", (b"a", b"b", b"c"), Meaning.ENTRY),
        (b"a/.wh.b", (b"a", b"b"), Meaning.WHITEOUT),
        (b"a/.wh..wh..opq", (b"a",), Meaning.OPAQUE),
        (b".wh..wh..opq", (), Meaning.OPAQUE),
        (b".wh..wh.plnk/1.2", (b".wh..wh.plnk", b"1.2"), Meaning.NOTHING),
        (b"a.wh.b", (b"a.wh.b",), Meaning.ENTRY),
    ],
)
def test_places(name: bytes, parts: tuple[bytes, ...], meaning: Meaning) -> None:
    found = place(name)
    assert (found.parts, found.meaning) == (parts, meaning)


@pytest.mark.parametrize(
    "name",
    [b"..", b"a/../../b", b"/..", b"a/..", b"x/.wh...", b".wh.", b"a/.wh..", b"n" * 5000, b"d/" * (LIMITS.depth + 1)],
)
def test_refused(name: bytes) -> None:
    with pytest.raises(BadArchive):
        place(name)


@given(NAMES)
def test_no_name_leads_out(name: bytes) -> None:
    try:
        found = place(name)
    except BadArchive:
        return
    path = os.path.normpath(os.path.join(b"/root", *found.parts))
    assert path == b"/root" or path.startswith(b"/root/")
    assert not {b"", b".", b".."} & set(found.parts)
    assert all(b"/" not in part and b"\0" not in part for part in found.parts)
