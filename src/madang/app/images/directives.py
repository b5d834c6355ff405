"""nginx's configuration, as people write it for the image, made to hold on this machine. Pure, standard library only.

In: the text of a file, and what this machine is to it (`Ground`). Out: the same text, line for line, in which it
listens where it should, meets its peers where they are, and writes only into the instance's own folder.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\#[^\n]*|[{};]|(?:\$\{[^}]*\}|\\.|[^\s{};])+""", re.DOTALL)
PEER = re.compile(r"(?P<scheme>\w+://)?(?P<name>[A-Za-z][\w.-]*)(?::(?P<port>\d+))?(?P<rest>[/$].*)?", re.DOTALL)
USUAL = {"http://": "80", "https://": "443", "grpc://": "80", "grpcs://": "443"}
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
OURS = ("daemon", "pid")  # said on the command line, where a second time would be an error
HIGHER = 8000  # what is added to a port that may not be opened


@dataclass(frozen=True)
class Ground:
    """What this machine is to a configuration. `numbers` are the real ports of a peer's address and port, `peers` the
    addresses of names; `host` is empty where the instance has the network for itself."""

    run: str
    host: str = ""
    lowest: int = 0
    peers: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    resolved: bool = True  # whether the names of peers lead there by themselves
    paths: Sequence[tuple[str, str]] = ()
    upstreams: frozenset[str] = frozenset()
    user_known: Callable[[str], bool] = lambda _: True
    ipv6: bool = True
    nameserver: str = ""
    temporary: Sequence[str] = TEMPORARY


@dataclass
class Word:
    text: str
    start: int
    end: int

    @property
    def bare(self) -> str:
        return self.text[1:-1] if self.text[:1] in ("'", '"') and len(self.text) > 1 else self.text


def statements(text: str) -> Iterator[tuple[list[Word], str, int]]:
    """(words, what ends them: `;`, `{` or `}`, where that stands)."""
    words: list[Word] = []
    for found in TOKEN.finditer(text):
        token = found[0]
        if token in ("{", "}", ";"):
            yield words, token, found.end()
            words = []
        elif not token.startswith("#"):
            words.append(Word(token, found.start(), found.end()))


def rewritten(text: str, ground: Ground) -> str:
    """Lines stay lines, so that nginx's own messages count as the user does."""
    edits: list[tuple[int, int, str]] = []
    inside: list[tuple[str, int, set[str]]] = []  # (block, where it begins, its directives)
    four = set(re.findall(r"\blisten\s+(?:[\w.*]+:)?(\d+)\b", text))
    for words, ended, at in statements(text):
        if ended == "}":
            if inside:
                edits += added(*inside.pop(), [block for block, _, _ in inside], ground)
            continue
        name = words[0].bare if words else ""
        if inside and name:
            inside[-1][2].add(name)
        if ended == "{":
            inside.append((name, at, set()))
            continue
        if name:
            edits += changes(words, at, not inside, four, ground)
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def added(block: str, at: int, has: set[str], around: list[str], ground: Ground) -> list[tuple[int, int, str]]:
    """What a block lacks to hold here."""
    new = ""
    if block == "server" and "listen" not in has and "stream" not in around and (ground.host or ground.lowest > 80):
        new = f" listen {listen(['80'], set(), ground)};"
    if block == "http":
        new = "".join(
            f" {kind}_temp_path {ground.run}/{kind};" for kind in ground.temporary if f"{kind}_temp_path" not in has
        )
        new += "" if "access_log" in has else " access_log /dev/stdout;"
    return [(at, at, new)] if new else []


def changes(words: list[Word], at: int, main: bool, four: set[str], ground: Ground) -> Iterator[tuple[int, int, str]]:
    name, rest = words[0].bare, words[1:]
    gone = (words[0].start, at, "")
    if main and (name in OURS or (name == "user" and rest and not ground.user_known(rest[0].bare))):
        yield gone
        return
    if name == "listen" and rest and not rest[0].bare.startswith("unix:"):
        place = listen([w.bare for w in rest], four, ground)
        yield (rest[0].start, rest[0].end, place) if place else gone
        return
    for word in rest:
        new = word.bare
        if name.endswith("_pass") or name in ("server", "set"):
            new = peer(new, ground, always=name == "set")
        if name == "resolver" and new == "127.0.0.11" and ground.nameserver:
            new = ground.nameserver  # the engine's own server, which is nowhere here
        new = moved(new, ground.paths)
        if new != word.bare:
            quote = word.text[0] if word.text[0] in "'\"" else ""
            yield word.start, word.end, f"{quote}{new}{quote}"


def listen(words: list[str], four: set[str], ground: Ground) -> str:
    """Where a `listen` should be; empty where another one says it."""
    place = words[0]
    bracket = re.fullmatch(r"(\[.*\])(?::(\d+))?", place)
    address, port = (bracket[1], bracket[2] or "80") if bracket else ("", place)
    if not bracket and not place.isdigit():
        address, _, port = place.partition(":")
        port = port or "80"
    real = str(int(port) + HIGHER) if port.isdigit() and int(port) < ground.lowest else port
    if bracket and (ground.host or not ground.ipv6):
        return "" if port in four else f"{ground.host or '0.0.0.0'}:{real}"
    if ground.host:
        return f"{ground.host}:{real}"
    return f"{address}:{real}" if address else real


def peer(text: str, ground: Ground, always: bool) -> str:
    """`http://api:8000/x` as the place where that port of that service is."""
    found = PEER.fullmatch(text)
    port = (found["port"] or USUAL.get(found["scheme"] or "", "")) if found else ""
    if not found or not port or found["name"] not in ground.peers or (found["name"] in ground.upstreams):
        return text
    address = ground.peers[found["name"]]
    real = ground.numbers.get((address, port), port)
    if real == port and ground.resolved and not always:
        return text
    return f"{found['scheme'] or ''}{address}:{real}{found['rest'] or ''}"


def moved(text: str, paths: Sequence[tuple[str, str]]) -> str:
    """The first that fits wins: the deeper ones stand first."""
    for old, new in paths:
        if text == old or text.startswith(old + "/"):
            return new + text[len(old) :]
    return text
