"""What courtyards of one machine hold against each other: ids, address blocks, port ranges, by lock files.

In: a courtyard's home and the network that it will use. Out: a `Claim` with its `Addresses`, kept under a lock for
as long as the control process lives, and given again to the same home afterwards. A claim whose lock nobody holds is
still in use while processes of its courtyard run; when they are gone too it is dead, and may be swept.

Root's folder is /run/madang/claims; other users write there too if it exists, else under /tmp. Both are read.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path

from madang.node.networks import pools, recovery, remains
from madang.node.networks.claim_folders import Busy, picking, writable
from madang.node.runtimes import cgroup
from madang.porch import standing
from madang.ports.settings import Addresses, NetworkName

log = logging.getLogger(__name__)
FORMAT = 1
ID = re.compile("[0-9a-f]{6}")
FOLDERS = (Path("/run/madang/claims"), Path("/tmp/madang-claims"))
REMEMBERED = "addresses.json"
BUSY_S = 10.0  # how long another may take to sweep: a control process of this home would hold the home's own lock


class Occupied(RuntimeError):
    """What runs stands in the way of what is asked."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A claim as it stands in its file."""

    id: str
    home: str
    uid: int
    pid: int
    addresses: Addresses


@dataclass(slots=True)
class Claim:
    """Held until `close` (the courtyard goes on without us) or `release` (it is over)."""

    kept: Kept
    path: Path
    _fd: int

    @property
    def id(self) -> str:
        return self.kept.id

    @property
    def addresses(self) -> Addresses:
        return self.kept.addresses

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def release(self) -> None:
        """Also the courtyard's cgroups, which nobody is in any more."""
        cgroup.sweep(self.id)
        self.path.unlink(missing_ok=True)
        self.close()


def hold(home: Path, network: NetworkName, *, folders: Sequence[Path] = FOLDERS) -> Claim:
    """This home's claim, as it was or a new one. Busy: another process holds it."""
    home = home.absolute()
    folder = writable(folders)
    until = time.monotonic() + BUSY_S
    while True:
        try:
            with picking(folder, folders):
                return _hold(home, network, folder, folders)
        except Busy:  # by its courtyard, or only by somebody who is just sweeping it
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _hold(home: Path, network: NetworkName, folder: Path, folders: Sequence[Path]) -> Claim:
    others = []
    for path, kept in _read_all(folders):
        if kept.home != str(home) or kept.uid != os.getuid():
            others.append(kept)
            continue
        fd = _lock(path, kept)
        if kept.addresses.network == network:
            return Claim(kept, path, fd)
        os.close(fd)
        if not idle(home):
            had = kept.addresses.network
            raise Occupied(
                f"services of this courtyard still run on the {had} network, and cannot move to {network} while they "
                f"run: say `madang down` first, or --network {had}"
            )
        others.append(kept)  # what it had on this machine is swept when the network starts
    id = _free_id(home, {kept.id for kept in others})
    running = not over(home)
    addresses = pools.pick(id, network, [one.addresses for one in others], _before(home), running=running)
    kept = Kept(id, str(home), os.getuid(), os.getpid(), addresses)
    path, new = folder / f"{id}.json", folder / f".{id}.new"
    if path.exists():  # else it would have been read
        log.warning("%s is damaged: it is written anew, with the addresses that this courtyard had", path)
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    os.fchmod(fd, 0o644)  # whatever the umask: other users must see what is taken
    os.write(fd, json.dumps({"format": FORMAT, **asdict(kept)}).encode())
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.rename(new, path)
    _remember(home, addresses)
    return Claim(kept, path, fd)


def _before(home: Path) -> Addresses | None:
    """What this home had, also after the claim itself was given back or lost with a reboot."""
    try:
        kept = json.loads((home / REMEMBERED).read_bytes())
        return Addresses(**{key: value for key, value in kept.items() if key != "format"})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _remember(home: Path, addresses: Addresses) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = home / f".{REMEMBERED}.new"
    new.write_text(json.dumps({"format": FORMAT, **asdict(addresses)}))
    new.replace(home / REMEMBERED)


def kept_claims(folders: Sequence[Path] = FOLDERS) -> list[Kept]:
    return [kept for _, kept in _read_all(folders)]


def running_on(home: Path, folders: Sequence[Path] = FOLDERS) -> NetworkName | None:
    """The network of what an earlier control has left running; None where nothing runs."""
    home = home.absolute()
    mine = (kept for kept in kept_claims(folders) if kept.home == str(home) and kept.uid == os.getuid())
    return next((kept.addresses.network for kept in mine if not idle(home)), None)


def sweep_dead(folders: Sequence[Path] = FOLDERS) -> Iterator[Kept]:
    """Claims of courtyards that are over without having said so: each is given to be cleaned up after, then
    forgotten. Nobody can take its id meanwhile. Only one's own are touched, root's are everybody's."""
    for path, kept in _read_all(folders):
        if not standing.root() and kept.uid != os.getuid():
            continue
        try:
            fd = _lock(path, kept)
        except OSError:
            continue
        try:
            if dead(kept):
                yield kept
                path.unlink(missing_ok=True)
        finally:
            os.close(fd)


def dead(kept: Kept) -> bool:
    return over(Path(kept.home))


def over(home: Path) -> bool:
    """Nothing of it runs, and nobody holds its way in open."""
    return idle(home) and not remains.door_is_kept(home)


def idle(home: Path) -> bool:
    """No process of the courtyard runs. What we may not see counts as running."""
    try:
        home.stat()
    except FileNotFoundError:
        return True
    except PermissionError:
        return False
    return next(recovery.living(home), None) is None


def _lock(path: Path, kept: Kept) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(fd).st_ino:
            return fd
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(fd)
    raise Busy(11, f"the courtyard at {kept.home} is already run by another process", str(path))


def _read_all(folders: Sequence[Path]) -> Iterator[tuple[Path, Kept]]:
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            try:
                kept = _read(path)
            except (OSError, ValueError, KeyError, TypeError):
                continue
            yield path, kept


def _read(path: Path) -> Kept:
    """Anybody may write there, and what stands there is acted on, as root too: only what a claim can be is taken."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO would be waited for
    with open(fd, "rb") as file:
        owner = os.fstat(fd).st_uid
        body = json.loads(file.read(1 << 16))
    id, home, addresses = body["id"], body["home"], Addresses(**body["addresses"])
    if not ID.fullmatch(id) or path.name != f"{id}.json" or not os.path.isabs(home):
        raise ValueError(f"{path}: is no claim")
    pools.nets(addresses)
    IPv4Address(addresses.gateway_ip)
    if addresses.network not in ("bridge", "loopback") or not isinstance(addresses.port_base, int):
        raise ValueError(f"{path}: is no claim")
    # Whose it is, the file system says; a claim on behalf of another's home is nobody's.
    return Kept(id, home, owner, int(body["pid"]), addresses)


def _free_id(home: Path, taken: set[str]) -> str:
    """Six hexadecimal digits that the same home gets every time, unless another has them."""
    for salt in range(1 << 16):
        id = hashlib.sha256(f"{home}:{salt}".encode()).hexdigest()[:6]
        if id not in taken:
            return id
    raise Busy(28, "no free courtyard id")
