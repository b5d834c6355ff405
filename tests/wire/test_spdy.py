"""SPDY frames: what is encoded is decoded, cut anywhere; what is no SPDY is said to be none."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.wire.spdy import DICTIONARY, PING, SYN_REPLY, SYN_STREAM, Broken, Decoder, Encoder


def test_the_dictionary_is_the_protocols_own() -> None:
    assert len(DICTIONARY) == 1423 and zlib.adler32(DICTIONARY) == 0xE3C6A7C2


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.binary(max_size=300), st.booleans()), max_size=8), st.integers(1, 64)
)
def test_frames_survive_any_cut(parts: list[tuple[int, bytes, bool]], step: int) -> None:
    encoder, decoder = Encoder(), Decoder()
    sent = b"".join(encoder.data(stream, data, last=last) for stream, data, last in parts)
    found = [frame for at in range(0, len(sent), step) for frame in decoder.feed(sent[at : at + step])]
    assert [(frame.stream, frame.data, frame.last) for frame in found] == parts


def test_headers_go_through_one_compression_a_direction() -> None:
    encoder, decoder = Encoder(), Decoder()
    wanted = [{"streamtype": "error", "requestid": "0"}, {"streamtype": "data", "port": "8080", "requestid": "0"}]
    sent = encoder.open(1, wanted[0], last=True) + encoder.open(3, wanted[1]) + encoder.reply(1) + encoder.ping(7)
    first, second, reply, ping = decoder.feed(sent)
    assert (first.kind, first.headers, first.last) == (SYN_STREAM, wanted[0], True)
    assert (second.stream, second.headers, second.last) == (3, wanted[1], False)
    assert (reply.kind, reply.stream, ping.kind, ping.code) == (SYN_REPLY, 1, PING, 7)


@pytest.mark.parametrize(
    "bad",
    [
        b"\x80\x02\x00\x01\x00\x00\x00\x00",
        b"\x00\x00\x00\x01\x00\xff\xff\xff",
        b"\x80\x03\x00\x01\x00\x00\x00\x0cxxxxxxxxxxxx",
    ],
)
def test_other_bytes_are_refused(bad: bytes) -> None:
    with pytest.raises(Broken):
        list(Decoder().feed(bad))
