"""The folder of images on disk: an OCI image layout, with the unpacked trees beside the blobs.

    oci-layout, index.json      which images there are, under which names (the only place that says so)
    blobs/sha256/HEX            manifests, configurations, layers as they travel
    trees/HEX/fs                a layer unpacked; `trees/HEX/record.json` says of which diff_id, and what it weighs
    uses/HEX/HOLDER             who uses the image with this manifest, one empty file each
    work/                       what is not finished; every folder in it is locked by the process that fills it

In: the folder. Out: paths, and the one way in which something becomes visible: written beside, synced, renamed. Loads
hold `lock` together, a collection holds it alone, so that nothing is collected between its rename and its entry in the
index.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.porch import lent
from madang.ports.durable import sync_folder

FORMAT = 1
OCI_LAYOUT = {"imageLayoutVersion": "1.0.0"}
REF_NAME = "org.opencontainers.image.ref.name"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PARTIAL = "partial"  # in `work`: what pulls began, for the next to go on from; goes with a sweep of the store
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True)
class Tree:
    """An unpacked layer. `left_out` counts what an archive held and a tree never has (device nodes); `implied` are the
    folders of which the archive has no entry (implied.py)."""

    diff_id: str
    size_bytes: int
    entries: int
    left_out: int = 0
    implied: tuple[str, ...] = ()


class Layout:
    def __init__(self, home: Path) -> None:
        self.home = home = home.absolute()
        self.index = home / "index.json"
        self.trees, self.uses, self.work = home / "trees", home / "uses", home / "work"
        self.blobs = home / "blobs" / "sha256"

    def make(self) -> None:
        """The empty store; nothing where it is there already."""
        for folder in (self.home, self.blobs, self.trees, self.uses, self.work):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.home / "oci-layout").exists():
            with self._locked("index.lock", fcntl.LOCK_EX):
                self.write(self.home / "oci-layout", json.dumps(OCI_LAYOUT).encode())

    def blob(self, digest: str) -> Path:
        return self.blobs / digest.removeprefix("sha256:")

    def tree(self, diff_id: str) -> Path:
        # half of a digest: names of lower layers share one page of mount options; the record holds the whole
        return self.trees / diff_id.removeprefix("sha256:")[:32]

    def unpacked(self, diff_id: str, chain: str = "") -> Tree | None:
        """None where this layer is not unpacked (`chain`: for that stack alone)."""
        found = self.record(self.tree(chain or diff_id))
        return found if found and found.diff_id == diff_id else None

    def record(self, tree: Path) -> Tree | None:
        """What the tree says of itself; None of one that is damaged."""
        try:
            body = json.loads((tree / "record.json").read_bytes())
        except (OSError, ValueError):
            return None
        if body.pop("format", None) != FORMAT:
            return None
        return Tree(**{**body, "implied": tuple(body.get("implied", ()))})

    def use(self, digest: str) -> Path:
        return self.uses / digest.removeprefix("sha256:")

    def write(self, target: Path, body: bytes) -> None:
        """The whole file or none, whatever strikes."""
        new = self.work / f"{secrets.token_hex(8)}.new"
        with open(new, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
        sync_folder(target.parent)

    def entries(self) -> list[dict[str, Any]]:
        """The descriptors of the index."""
        try:
            body = json.loads(self.index.read_bytes())
        except FileNotFoundError:
            return []
        found: list[dict[str, Any]] = body["manifests"]
        return found

    @contextmanager
    def changing(self) -> Iterator[list[dict[str, Any]]]:
        """The descriptors of the index, to be changed in place: written when the block ends without an error."""
        with self._locked("index.lock", fcntl.LOCK_EX):
            entries = self.entries()
            yield entries
            body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
            self.write(self.index, json.dumps(body, indent=1).encode())

    @contextmanager
    def adding(self) -> Iterator[Path]:
        """A folder of one's own for what is not finished; nothing is collected meanwhile. What killed ones left goes
        first, where nobody else is at work."""
        with suppress(BlockingIOError), self.alone(keep=(PARTIAL,)):
            pass
        with self._locked("lock", fcntl.LOCK_SH):
            own = self.work / secrets.token_hex(8)
            own.mkdir(mode=0o700)
            fd = os.open(own, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                yield own
            finally:
                remove(own)
                os.close(fd)

    @contextmanager
    def alone(self, keep: Sequence[str] = ()) -> Iterator[None]:
        """Nobody loads while the block runs; BlockingIOError where somebody does. Whoever was killed at work left
        something: it is swept here, but for names in `keep`."""
        with self._locked("lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            with self._locked("index.lock", fcntl.LOCK_EX):  # nor does somebody write the index at this moment
                for left in self.work.iterdir():
                    if left.name in keep:
                        continue
                    if left.is_dir():
                        remove(left)
                    else:
                        left.unlink(missing_ok=True)
            yield

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        fd = os.open(self.home / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, how)
            yield
        finally:
            os.close(fd)


def remove(folder: Path) -> None:
    """A tree with all that is in it, also where an image closed folders to their own owner."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    for top, inside, _ in os.walk(folder):
        for path in (top, *(os.path.join(top, name) for name in inside)):
            with suppress(OSError):
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.geteuid() != 0:
        lent.remove(folder)
