"""The digest over all that a backup holds, made member by member in their order: nothing is kept in memory.

In: each member's name, kind and content. Out: the text of the last member, which a file that was cut short lacks.
"""

import hashlib
import json
from typing import BinaryIO

CHUNK = 1 << 20


class Seal:
    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._members = 0

    def member(self, name: str, kind: bytes, size: int, link: str = "") -> None:
        self._members += 1
        self._digest.update(json.dumps([name, kind.decode(), size, link]).encode())

    def content(self, data: bytes) -> None:
        self._digest.update(data)

    def text(self) -> bytes:
        return json.dumps({"members": self._members, "sha256": self._digest.hexdigest()}).encode()


class Sealed:
    """A file that is read by somebody else (tarfile), and digested on the way."""

    def __init__(self, file: BinaryIO, seal: Seal) -> None:
        self._file, self._seal = file, seal

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._seal.content(data)
        return data
