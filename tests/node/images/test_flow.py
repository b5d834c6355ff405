"""Bytes of a layer on their way: every packing, both digests, and what is refused on the way."""

import gzip
import io
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images import flow
from madang.node.images.flow import Flow, unpacked, zstd
from madang.node.images.limits import BadArchive, Limits
from tests.node.images.made import sha256

PLAIN = bytes(range(256)) * 40


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    return iter([body[i : i + size] for i in range(0, len(body), size)])


@given(st.binary(max_size=3000), st.integers(4, 4000))
def test_packings(body: bytes, size: int) -> None:
    for packed in (gzip.compress(body), gzip.compress(body) * 2, zstd.compress(body), zstd.compress(body) * 2):
        times = 2 if packed[: len(packed) // 2] * 2 == packed else 1
        assert b"".join(unpacked(chunks(packed, size))) == body * times


def test_much_from_little() -> None:
    body = bytes(5 << 20)
    for packed in (gzip.compress(body), zstd.compress(body)):
        assert b"".join(unpacked(chunks(packed, 1 << 20))) == body


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_bombs(pack: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "LIMITS", Limits(free_ratio_bytes=1 << 20))
    bomb = pack(bytes(64 << 20))  # type: ignore[operator]
    given: list[int] = []
    with pytest.raises(BadArchive, match="no image packs so well"):
        given.extend(len(out) for out in unpacked(chunks(bomb, 4096)))
    assert sum(given) < 16 << 20


def test_a_window_that_needs_much_memory() -> None:
    level = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.enable_long_distance_matching: 1}
    packer = zstd.ZstdCompressor(options=level)
    body = packer.compress(bytes(1 << 20), mode=packer.FLUSH_BLOCK) + packer.flush()
    with pytest.raises(BadArchive, match="damaged"):
        list(unpacked(iter([body])))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (gzip.compress(PLAIN)[:-9], "end early"),
        (zstd.compress(PLAIN)[:-1], "end early"),
        (gzip.compress(PLAIN)[:-8] + b"\0" * 8, "damaged"),
        (gzip.compress(PLAIN) + b"rest", "damaged|end early"),
        (zstd.compress(PLAIN)[:20] + b"\xff" * 40, "damaged|end early"),
        (b"BZh9" + PLAIN, "bzip2"),
        (b"\xfd7zXZ\0" + PLAIN, "xz"),
    ],
)
def test_damaged(body: bytes, says: str) -> None:
    with pytest.raises(BadArchive, match=says):
        list(unpacked(chunks(body, 50)))


@given(st.lists(st.integers(0, 5000), max_size=6), st.integers(1, 5000))
def test_exactly_what_is_asked(sizes: list[int], size: int) -> None:
    kept = io.BytesIO()
    with Flow(chunks(PLAIN, size), kept) as feed:
        at = 0
        for wanted in sizes:
            if at + wanted > len(PLAIN):
                break
            assert feed.take(wanted) == PLAIN[at : at + wanted]
            at += wanted
        assert feed.finish() == (sha256(PLAIN), sha256(PLAIN))
    assert kept.getvalue() == PLAIN and feed.size_bytes == len(PLAIN)


def test_both_digests() -> None:
    packed = gzip.compress(PLAIN)
    with Flow(chunks(packed, 100)) as feed:
        feed.skip(1000)
        assert feed.finish() == (sha256(packed), sha256(PLAIN))


def test_the_end_and_errors_reach_the_reader() -> None:
    with Flow(chunks(PLAIN, 100)) as feed, pytest.raises(BadArchive, match="in the middle"):
        feed.take(len(PLAIN) + 1)
    with Flow(chunks(gzip.compress(PLAIN)[:-9], 100)) as feed, pytest.raises(BadArchive, match="end early"):
        feed.finish()


def test_who_stops_early_leaves_no_thread() -> None:
    with Flow(iter(lambda: zlib.compress(b"x"), None)) as feed:
        feed.take(10)
    assert not feed._thread.is_alive()
