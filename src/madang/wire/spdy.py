"""SPDY/3.1 frames, as far as port-forward needs them: kubectl sends them through a WebSocket.

In: bytes of one direction, cut anywhere. Out: frames; and from frames, bytes. Header blocks are compressed with one
zlib stream a direction and the protocol's own dictionary (SPDY protocol draft 3.1, section 2.6). Pure.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
_VERSION = 3
LARGEST = 1 << 20  # of one frame that we take
_PLAIN = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_MORE = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_WORDS = (*_PLAIN.split(" "), *_MORE)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset="
    "iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(len(word).to_bytes(4, "big") + word.encode() for word in _WORDS) + _TAIL.encode()


class Broken(ValueError):
    """These bytes are no SPDY."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`kind` 0 is data. `code` is a reset's reason or a ping's number."""

    kind: int
    stream: int = 0
    flags: int = 0
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    code: int = 0

    @property
    def last(self) -> bool:
        return bool(self.flags & FIN)


class Decoder:
    def __init__(self) -> None:
        self._rest = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Raises Broken."""
        self._rest += data
        while len(self._rest) >= 8:
            size = int.from_bytes(self._rest[5:8], "big")
            if size > LARGEST:
                raise Broken(f"a frame of {size} bytes is too large")
            if len(self._rest) < 8 + size:
                return
            head, payload, self._rest = self._rest[:8], self._rest[8 : 8 + size], self._rest[8 + size :]
            yield self._frame(head, payload)

    def _frame(self, head: bytes, payload: bytes) -> Frame:
        first, flags = int.from_bytes(head[:4], "big"), head[4]
        if not first & 0x80000000:
            return Frame(0, first, flags, payload)
        if first >> 16 & 0x7FFF != _VERSION:
            raise Broken(f"SPDY version {first >> 16 & 0x7FFF} is not spoken, only {_VERSION}")
        kind = first & 0xFFFF
        number = int.from_bytes(payload[:4], "big")
        if kind in (SYN_STREAM, SYN_REPLY):
            block = payload[10:] if kind == SYN_STREAM else payload[4:]
            return Frame(kind, number & 0x7FFFFFFF, flags, headers=self._headers(block))
        if kind == RST_STREAM:
            return Frame(kind, number & 0x7FFFFFFF, flags, code=int.from_bytes(payload[4:8], "big"))
        return Frame(kind, 0, flags, payload, code=number)

    def _headers(self, block: bytes) -> Mapping[str, str]:
        try:
            plain = self._inflate.decompress(block, LARGEST)
        except zlib.error as fault:
            raise Broken(f"a header block cannot be read: {fault}") from fault
        count, at = int.from_bytes(plain[:4], "big"), 4
        found: dict[str, str] = {}
        for _ in range(count):
            name, at = _text(plain, at)
            value, at = _text(plain, at)
            found[name.lower()] = value.partition("\0")[0]
        return found


def _text(data: bytes, at: int) -> tuple[str, int]:
    size = int.from_bytes(data[at : at + 4], "big")
    end = at + 4 + size
    if end > len(data):
        raise Broken("a header block ends too early")
    return data[at + 4 : end].decode("latin-1"), end


class Encoder:
    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def data(self, stream: int, data: bytes, *, last: bool = False) -> bytes:
        return stream.to_bytes(4, "big") + bytes([FIN if last else 0]) + len(data).to_bytes(3, "big") + data

    def reply(self, stream: int, headers: Mapping[str, str] | None = None) -> bytes:
        return self._control(SYN_REPLY, 0, stream.to_bytes(4, "big") + self._block(headers or {}))

    def open(self, stream: int, headers: Mapping[str, str], *, last: bool = False) -> bytes:
        payload = stream.to_bytes(4, "big") + bytes(6) + self._block(headers)
        return self._control(SYN_STREAM, FIN if last else 0, payload)

    def reset(self, stream: int, code: int = 5) -> bytes:
        return self._control(RST_STREAM, 0, stream.to_bytes(4, "big") + code.to_bytes(4, "big"))

    def ping(self, number: int) -> bytes:
        return self._control(PING, 0, number.to_bytes(4, "big"))

    def _control(self, kind: int, flags: int, payload: bytes) -> bytes:
        head = (0x80000000 | _VERSION << 16 | kind).to_bytes(4, "big")
        return head + bytes([flags]) + len(payload).to_bytes(3, "big") + payload

    def _block(self, headers: Mapping[str, str]) -> bytes:
        plain = len(headers).to_bytes(4, "big")
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                plain += len(text).to_bytes(4, "big") + text
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
