"""What a RUN sees besides its root: mounts, secrets, names of the network.

In: a step, the build's folder, roots of other stages, the cache. Out: `Bind`s that stand while a block runs. Nothing
of it gets into the layer: mount points that were not there are taken away afterwards.
"""

import fcntl
import os
import posixpath
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from madang.node.building.cache import Cache
from madang.node.building.copying import Failed, Writer
from madang.node.building.runner import Bind
from madang.node.building.trees import Context, Tree
from madang.node.images.build.mounts import Mount
from madang.node.images.build.scripts import FOLDER
from madang.node.images.build.steps import Run, Source

HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
POINTS = ("/proc", "/dev", "/sys")


@dataclass(frozen=True, slots=True)
class Sight:
    """`opened` gives another stage's or image's root, merged into the folder that it gets, as long as `until` lasts."""

    context: Context
    cache: Cache
    secrets: Mapping[str, bytes]
    opened: Callable[[Source, Path, ExitStack], Path]
    seconds: int


@contextmanager
def visible(step: Run, sight: Sight, work: Path) -> Iterator[tuple[tuple[Bind, ...], dict[str, str]]]:
    """The binds, and variables that secrets give."""
    binds, env = list(network_files(work)), dict[str, str]()
    with ExitStack() as until:
        if step.scripts:
            binds.append(Bind(FOLDER, scripts(step, work), readonly=True))
        for number, one in enumerate(step.mounts):
            own = work / f"mount{number}"
            own.mkdir()
            if one.type == "tmpfs":
                binds.append(Bind(one.target, size_bytes=one.size))
            elif one.type == "secret":
                binds += secret(step, one, sight, own, env)
            elif one.type == "cache":
                binds.append(Bind(one.target, kept(one, sight, own, until), one.readonly))
            else:
                binds.append(Bind(one.target, bound(step, one, sight, own, until), one.readonly))
        yield tuple(binds), env


def network_files(work: Path) -> Iterator[Bind]:
    hosts = work / "hosts"
    hosts.write_text(HOSTS)
    yield Bind("/etc/hosts", hosts, readonly=True)
    if Path("/etc/resolv.conf").exists():
        names = work / "resolv.conf"
        names.write_bytes(Path("/etc/resolv.conf").read_bytes())
        yield Bind("/etc/resolv.conf", names, readonly=True)


def scripts(step: Run, work: Path) -> Path:
    folder = work / "pipes"
    folder.mkdir()
    for name, text in step.scripts:
        path = folder / os.path.basename(name)
        path.write_text(text)
        path.chmod(0o755)
    return folder


def secret(step: Run, one: Mount, sight: Sight, own: Path, env: dict[str, str]) -> list[Bind]:
    value = sight.secrets.get(one.id)
    if value is None:
        if one.required:
            raise Failed(step.line, f"secret {one.id}: not found; give it with --secret id={one.id},src=FILE")
        return []
    if one.env:
        env[one.env] = value.decode("utf-8", "surrogateescape")
    if not one.target:
        return []
    file = own / "secret"
    file.touch(mode=0o600)
    file.write_bytes(value)
    os.chown(file, one.uid, one.gid)
    file.chmod(one.mode or 0)
    return [Bind(one.target, file, readonly=True)]


def kept(one: Mount, sight: Sight, own: Path, until: ExitStack) -> Path:
    """A folder that outlives the build. `locked` waits until nobody else has it, `private` takes a fresh one then."""
    folder = sight.cache.mount(one.id)
    lock = os.open(folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until.callback(os.close, lock)
    if one.sharing == "locked":
        fcntl.flock(lock, fcntl.LOCK_EX)
    elif one.sharing == "private":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            folder = own / "cache"
    if not folder.exists():
        folder.mkdir()
        os.chown(folder, one.uid, one.gid)
        folder.chmod(one.mode or 0o755)
        source = Source(one.stage, one.image)
        if not source.is_context:
            tree = Tree(sight.opened(source, own, until))
            Writer(Tree(folder), sight.seconds, keep_ids=True).inside(tree, tree.resolve(one.source), folder)
    return folder


def bound(step: Run, one: Mount, sight: Sight, own: Path, until: ExitStack) -> Path:
    """Files of the build's folder, of a stage, of an image; what is written to them is forgotten."""
    source = Source(one.stage, one.image)
    if source.is_context:
        copied = own / "context"
        copied.mkdir()
        found = sight.context.resolve(one.source)
        status = sight.context.look(found)
        if status is None:
            raise Failed(step.line, f'--mount: "{one.source}" not found in the build\'s folder')
        writer = Writer(Tree(copied), sight.seconds)
        if stat.S_ISDIR(status.st_mode):
            writer.inside(sight.context, found, copied)
            return copied
        writer.entry(sight.context, found, status, copied / "file")
        return copied / "file"
    root = sight.opened(source, own, until)
    tree = Tree(root)
    found = tree.resolve(one.source)
    if tree.look(found) is None:
        raise Failed(step.line, f'--mount: "{one.source}" not found in {one.origin}')
    return root / found


@contextmanager
def points(root: Path, binds: Sequence[Bind]) -> Iterator[None]:
    """Mount points that the runtime makes are gone afterwards, with the folders above them that were not there; a
    folder in which nothing else changed is then as old as before."""
    tree = Tree(root)
    made = {first for target in (*POINTS, *(b.target for b in binds)) if (first := missing(tree, target))}
    above = {root / os.path.dirname(path) for path in made}
    before = {folder: (folder.stat(), os.listdir(folder)) for folder in above}
    try:
        yield
    finally:
        for path in made:
            emptied(tree.root / path)
        for folder, (status, names) in before.items():
            if folder.is_dir() and sorted(os.listdir(folder)) == sorted(names):
                os.utime(folder, ns=(status.st_atime_ns, status.st_mtime_ns))


def missing(tree: Tree, target: str) -> str:
    """The outermost part of the path that is not there."""
    done = ""
    for part in target.strip("/").split("/"):
        done = posixpath.join(tree.resolve(done), part)
        if tree.look(tree.resolve(done)) is None:
            return tree.resolve(done)
    return ""


def emptied(path: Path) -> None:
    """Folders that hold nothing, files that are empty: what a mount point is. Anything else stays."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            for inner in path.iterdir():
                emptied(inner)
            path.rmdir()
        elif path.is_file() and path.stat().st_size == 0:
            path.unlink()
