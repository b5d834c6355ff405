"""Who a container's program is: numbers, from names that only the image's own files explain.

In: what the image and the pod say, the texts of the image's `/etc/passwd` and `/etc/group`. Out: `Who`, or
`NoSuchUser` in the words of runc. The rules are those of containerd: the group of `uid` alone is that of its entry in
passwd, else 0; the groups that list the user as a member are its own too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


class NoSuchUser(ValueError):
    """A name that the image's files do not know."""


@dataclass(frozen=True, slots=True)
class Who:
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What decides: `image` is the image's USER (`name`, `uid`, with `:group` or without), the others are the pod's."""

    image: str = ""
    uid: int | None = None
    gid: int | None = None
    groups: Sequence[int] = ()
    strict: bool = False  # only these groups: what the image's files list counts for nothing


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of passwd."""

    name: str
    uid: int
    gid: int


def resolve(wish: Wish, passwd: str, group: str) -> Who:
    """Raises NoSuchUser."""
    first, _, second = wish.image.partition(":")
    if wish.uid is not None:
        first, second = str(wish.uid), ""
    first = first or "0"
    entry = _user(first, passwd)
    if entry is None and not _number(first):
        raise NoSuchUser(f"unable to find user {first}: no matching entries in passwd file")
    uid = entry.uid if entry is not None else int(first)
    gid = _gid(second, group) if second else entry.gid if entry is not None else 0
    if wish.gid is not None:
        gid = wish.gid
    listed = _listed(entry.name, group) if entry is not None and not second and not wish.strict else ()
    more = sorted({gid, *listed, *wish.groups})
    return Who(uid, gid, tuple(more))


def known_root(wish: Wish) -> bool | None:
    """Whether it is root, as far as the words tell; None where only the image's files could (a name)."""
    if wish.uid is not None:
        return wish.uid == 0
    first = wish.image.partition(":")[0]
    if not first or first == "root":
        return True
    return int(first) == 0 if _number(first) else None


def _user(text: str, passwd: str) -> Entry | None:
    found = None
    for entry in _entries(passwd):
        if entry.name == text:  # a user may be called 1000: the name wins, as with chown
            return entry
        if found is None and _number(text) and entry.uid == int(text):
            found = entry
    return found


def _gid(text: str, group: str) -> int:
    for name, gid, _ in _groups(group):
        if name == text:
            return gid
    if _number(text):
        return int(text)
    raise NoSuchUser(f"unable to find group {text}: no matching entries in group file")


def _listed(name: str, group: str) -> Iterable[int]:
    return [gid for _, gid, members in _groups(group) if name in members]


def _entries(passwd: str) -> Iterator[Entry]:
    for fields in _lines(passwd, 4):
        if _number(fields[2]) and _number(fields[3]):
            yield Entry(fields[0], int(fields[2]), int(fields[3]))


def _groups(group: str) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    for fields in _lines(group, 3):
        if _number(fields[2]):
            members = fields[3] if len(fields) > 3 else ""
            yield fields[0], int(fields[2]), tuple(m.strip() for m in members.split(",") if m.strip())


def _lines(text: str, least: int) -> Iterator[list[str]]:
    """What somebody wrote into an image is not always well formed: a line that is not counts for nothing."""
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) >= least and fields[0] and not line.startswith("#"):
            yield fields


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 1 << 32
