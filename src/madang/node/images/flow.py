"""A layer's bytes on their way: read, hashed, kept, decompressed and hashed again, while another thread writes files.

In: chunks of a blob. Out: a `Flow` that gives the bytes within, and at the end both digests. Hashing, decompressing
and writing let go of the interpreter, so that two cores work. What comes out is bounded by `limits`: a layer that
unpacks to more than it may is refused on the way, never stored.
"""

import hashlib
import sys
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any, BinaryIO

from isal import isal_zlib

from madang.node.images.limits import LIMITS, BadArchive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK = 1 << 20
WINDOW_LOG = 27  # what every zstd decoder must be ready for, 128 MiB
AHEAD = 8  # chunks that wait for the writer
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# the stubs of isal declare its error as a value
DAMAGED: tuple[type[Exception], ...] = (isal_zlib.error, zstd.ZstdError, EOFError)  # type: ignore[assignment]
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


def unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip or zstd hold, told by their first bytes; anything else passes as it is."""
    first = next(chunks, b"")
    for magic, name in _OTHERS.items():
        if first.startswith(magic):
            raise BadArchive(f"compressed by {name}: layers may be plain, gzip or zstd")
    chunks = _again(first, chunks)
    if first.startswith(GZIP):
        return _bounded(chunks, _Gzip)
    if first.startswith(ZSTD):
        return _bounded(chunks, _Zstd)
    return chunks


class _Gzip:
    def __init__(self) -> None:
        self._inner: Any = isal_zlib.decompressobj(wbits=31)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            out = self._inner.decompress(data, CHUNK)
            yield out
            data = self._inner.unconsumed_tail
            if self.ended or (not data and len(out) < CHUNK):
                return

    @property
    def ended(self) -> bool:
        return bool(self._inner.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self._inner.unused_data)


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._inner.decompress(data, CHUNK)
        while not self._inner.eof and not self._inner.needs_input:
            yield self._inner.decompress(b"", CHUNK)

    @property
    def ended(self) -> bool:
        return self._inner.eof

    @property
    def rest(self) -> bytes:
        return self._inner.unused_data


def _bounded(chunks: Iterator[bytes], codec: type[_Gzip] | type[_Zstd]) -> Iterator[bytes]:
    taken = given = 0
    current: _Gzip | _Zstd | None = codec()
    for chunk in chunks:
        taken += len(chunk)
        while chunk:
            current = current or codec()  # several streams may stand behind each other
            try:
                for out in current.feed(chunk):
                    given += len(out)
                    if given > max(LIMITS.free_ratio_bytes, LIMITS.ratio * taken):
                        raise BadArchive(f"{taken} bytes unpack to more than {given}: no image packs so well")
                    if out:
                        yield out
            except DAMAGED as error:
                raise BadArchive(f"the compressed bytes are damaged ({error})") from error
            chunk = b""
            if current.ended:
                chunk, current = current.rest, None
    if current is not None:
        raise BadArchive("the compressed bytes end early")


def _again(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


class Flow:
    """A `tar.Feed` over a blob. `keep` takes the blob's own bytes. Use as a context; `finish` after the last entry."""

    def __init__(self, chunks: Iterator[bytes], keep: BinaryIO | None = None) -> None:
        self._packed, self._plain = hashlib.sha256(), hashlib.sha256()
        self.size_bytes = 0
        self._keep = keep
        self._queue: Queue[bytes | BaseException | None] = Queue(AHEAD)
        self._stop = False
        self._chunk, self._at, self._ended = b"", 0, False
        self._total = 0
        self._thread = threading.Thread(target=self._pump, args=(chunks,), name="flow", daemon=True)

    def __enter__(self) -> "Flow":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        while self._thread.is_alive():
            if not self._queue.empty():
                self._queue.get_nowait()
            self._thread.join(0.001)

    def _pump(self, chunks: Iterator[bytes]) -> None:
        end: BaseException | None = None
        try:
            for out in unpacked(self._kept(chunks)):
                self._plain.update(out)
                self._queue.put(out)
                if self._stop:
                    break
        except BaseException as error:  # goes on in the thread that waits for it
            end = error
        self._queue.put(end)

    def _kept(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._packed.update(chunk)
            self.size_bytes += len(chunk)
            if self._keep is not None:
                self._keep.write(chunk)
            yield chunk

    def _next(self) -> bool:
        """Whether there is a chunk again."""
        if self._ended:
            return False
        found = self._queue.get()
        if isinstance(found, bytes):
            self._chunk, self._at = found, 0
            self._total += len(found)
            if self._total > LIMITS.layer_bytes:
                raise BadArchive(f"a layer of more than {LIMITS.layer_bytes} bytes")
            return True
        self._ended = True
        if found is not None:
            raise found
        return False

    def at_end(self) -> bool:
        while self._at >= len(self._chunk):
            if not self._next():
                return True
        return False

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end <= len(self._chunk):
            found = self._chunk[self._at : end]
            self._at = end
            return found
        return b"".join(self.pieces(size))

    def skip(self, size: int) -> None:
        for _ in self.pieces(size):
            pass

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Exactly `size` bytes, in pieces that are not copied."""
        while size:
            if self.at_end():
                raise BadArchive("the archive ends in the middle of a file")
            piece = memoryview(self._chunk)[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def finish(self) -> tuple[str, str]:
        """(digest of the blob, diff_id): of everything, also of what stands behind the end of the archive."""
        self._at = len(self._chunk)
        while self._next():
            self._at = len(self._chunk)
        return f"sha256:{self._packed.hexdigest()}", f"sha256:{self._plain.hexdigest()}"
