"""What was built before: a layer for each key.

In: a folder beside the images. Out: `Made` layers by key. A layer is its changes as a folder, fit to be the lower
layer of an overlay, and as the archive that an image names. Both are whole before the key names them: it is written
last, by rename.

    layers/HEX/fs, layers/HEX/blob     a layer by its diff_id
    keys/KEY                           which layer a step with this key made
    mounts/ID                          what RUN --mount=type=cache keeps
    work/                              what is not finished
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from madang.node.building.layers import Packed
from madang.node.images.layout import remove

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Made:
    diff_id: str
    size: int
    folder: Path
    blob: Path


class Cache:
    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("layers", "keys", "mounts", "work"):
            (home / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, key: str) -> Made | None:
        try:
            body = json.loads((self.home / "keys" / key).read_bytes())
        except (OSError, ValueError):
            return None
        made = self.made(str(body.get("diff_id")), int(body.get("size", 0)))
        return made if body.get("format") == FORMAT and made.folder.is_dir() and made.blob.is_file() else None

    def made(self, diff_id: str, size: int) -> Made:
        folder = self.home / "layers" / diff_id.removeprefix("sha256:")
        return Made(diff_id, size, folder / "fs", folder / "blob")

    def keep(self, key: str, upper: Path, blob: Path, packed: Packed) -> Made:
        """`upper` and `blob` are moved. Two that made the same keep one."""
        made = self.made(packed.diff_id, packed.size)
        new = self.home / "work" / secrets.token_hex(8)
        new.mkdir()
        upper.rename(new / "fs")
        blob.rename(new / "blob")
        try:
            new.rename(made.folder.parent)
        except OSError:
            remove(new)  # the same was made beside us, or before
        record = self.home / "work" / f"{secrets.token_hex(8)}.new"
        record.write_text(json.dumps({"format": FORMAT, "diff_id": packed.diff_id, "size": packed.size}))
        os.sync()
        record.rename(self.home / "keys" / key)
        return made

    def mount(self, identity: str) -> Path:
        return self.home / "mounts" / sha256(identity.encode()).hexdigest()[:32]

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A folder of one's own, gone with the block."""
        own = self.home / "work" / secrets.token_hex(8)
        own.mkdir()
        try:
            yield own
        finally:
            remove(own)

    def forget(self) -> None:
        """All of it but nothing that runs."""
        for name in ("keys", "layers", "mounts"):
            with suppress(FileNotFoundError):
                shutil.rmtree(self.home / name)
            (self.home / name).mkdir(mode=0o700)
