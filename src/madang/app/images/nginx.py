"""Starts nginx as its image does, on files as people write them for the image. A program of its own: standard library.

In: the environment (`MADANG_SERVER` the server, `MADANG_ETC` where /etc/nginx stands, `MADANG_RUN` a folder of this
instance alone, `MADANG_FILES` what the service mounts, as TARGET=PLACE lines, `MADANG_LOWEST` the first port that may
be opened) and the image's command. Out: nginx, on a copy of its configuration that holds on this machine: it listens
where it should, meets its peers where they are, and writes only into its own folder.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\#[^\n]*|[{};]|(?:\$\{[^}]*\}|\\.|[^\s{};])+""", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
SERVICE_PORT = re.compile(r"(\w+)_SERVICE_PORT_PORT_(\d+)")
PEER = re.compile(r"(?P<scheme>\w+://)?(?P<name>[A-Za-z][\w.-]*)(?::(?P<port>\d+))?(?P<rest>[/$].*)?", re.DOTALL)
USUAL = {"http://": "80", "https://": "443", "grpc://": "80", "grpcs://": "443"}
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
OURS = ("daemon", "pid")  # said on the command line, where a second time would be an error
ASKS = {"-s", "-t", "-T", "-v", "-V", "-h", "-?"}  # what is asked of an nginx that runs, or of none
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


def substituted(text: str, env: Mapping[str, str], only: Callable[[str], bool], unset: bool = False) -> str:
    """`$NAME` and `${NAME}` of the environment; others stay, unless `unset` names count as empty."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        known = only(name) and (unset or name in env)
        return env.get(name, "") if known else found[0]

    return VARIABLE.sub(value, text)


def named_hosts(text: str) -> dict[str, str]:
    """Names and their first addresses, of a hosts file."""
    out: dict[str, str] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            out.setdefault(name, address)
    return out


def ground_of(env: Mapping[str, str], hosts: str, run: str, etc: str, files: Mapping[str, str]) -> Ground:
    """`files` are the mounted places by target."""
    addresses = {k.removesuffix("_SERVICE_HOST"): v for k, v in env.items() if k.endswith("_SERVICE_HOST")}
    numbers = {
        (addresses[m[1]], m[2]): v
        for k, v in env.items()
        if (m := SERVICE_PORT.fullmatch(k)) and m[1] in addresses
    }  # fmt: skip
    in_hosts = {name: at for name, at in named_hosts(hosts).items() if at not in ("127.0.0.1", "::1")}
    of_variables = {stem.lower().replace("_", "-"): at for stem, at in addresses.items()}
    replaced = [(target, place) for target, place in files.items() if target != place and not below(target)]
    replaced += [
        ("/var/log/nginx/error.log", "/dev/stderr"),
        ("/var/log/nginx/access.log", "/dev/stdout"),
        ("/var/log/nginx", f"{run}/log"),
        ("/var/cache/nginx", str(Path(run).parent)),
        ("/etc/nginx", etc),
    ]
    return Ground(
        run=run,
        host=env.get("HOST", ""),
        lowest=int(env.get("MADANG_LOWEST") or 0),
        peers={**of_variables, **in_hosts},
        numbers=numbers,
        resolved=not addresses or bool(set(in_hosts.values()) & set(addresses.values())),
        paths=sorted(replaced, key=lambda pair: -len(pair[0])),
        temporary=[k for k in TEMPORARY if k in (env.get("MADANG_TEMPORARY") or " ".join(TEMPORARY)).split()],
    )


def mounted(env: Mapping[str, str]) -> dict[str, str]:
    """Places by target: the same, unless nothing could be mounted."""
    lines = (line.partition("=") for line in env.get("MADANG_FILES", "").splitlines())
    return {f"/{target}": place for target, _, place in lines}


def below(target: str) -> bool:
    return target == "/etc/nginx" or target.startswith("/etc/nginx/")


def copy(etc: Path, files: Mapping[str, str]) -> None:
    """The configuration as the container shows it, with what could not be mounted there laid on top."""
    shutil.rmtree(etc, ignore_errors=True)
    shutil.copytree(os.environ["MADANG_ETC"], etc, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for target, place in files.items():
        if below(target) and target != place:
            inside = etc / os.path.relpath(target, "/etc/nginx")
            if os.path.isdir(place):
                shutil.copytree(place, inside, dirs_exist_ok=True, copy_function=shutil.copyfile)
            else:
                inside.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(place, inside)
    for pattern in filter(below, os.environ.get("MADANG_REMOVED", "").split()):
        for gone in list(etc.glob(os.path.relpath(pattern, "/etc/nginx"))):
            if not any(kept(gone, etc, target) for target in files):
                gone.unlink()


def kept(path: Path, etc: Path, target: str) -> bool:
    """What came after is not what was taken away."""
    place = f"/etc/nginx/{path.relative_to(etc)}"
    return path.is_dir() or place == target or place.startswith(target.rstrip("/") + "/")


def fill_templates(etc: Path, env: Mapping[str, str]) -> None:
    """As the image does: every template becomes a file of conf.d, with the variables that are set."""
    suffix = env.get("NGINX_ENVSUBST_TEMPLATE_SUFFIX", ".template")
    wanted = re.compile(env.get("NGINX_ENVSUBST_FILTER", ""))
    for source in sorted((etc / "templates").rglob(f"*{suffix}")):
        target = etc / "conf.d" / str(source.relative_to(etc / "templates")).removesuffix(suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(substituted(source.read_text(), env, lambda name: bool(wanted.search(name))))


def files_of(etc: Path) -> Iterator[tuple[Path, str]]:
    """What can be configuration: text, and no certificate."""
    for path in sorted(p for p in etc.rglob("*") if p.is_file() and p.name != "mime.types"):
        try:
            text = path.read_text()
        except ValueError:
            continue
        if "-----BEGIN" not in text:
            yield path, text


def render(run: Path, main: str) -> Path:
    """The whole configuration below `run`; gives the main file."""
    env, etc = os.environ, run / "etc"
    files = mounted(env)
    copy(etc, files)
    fill_templates(etc, env)
    if not below(main):  # another main file, with `nginx -c`
        shutil.copyfile(files.get(main, main), etc / "own.conf")
        main = "/etc/nginx/own.conf"
    ground = ground_of(env, read("/etc/hosts"), str(run), str(etc), files)
    texts = dict(files_of(etc))
    upstreams = re.findall(r"\bupstream\s+([\w.-]+)\s*\{", "\n".join(texts.values()))
    server = re.search(r"^nameserver\s+(\S+)", read("/etc/resolv.conf"), re.MULTILINE)
    ground = Ground(**{
        **ground.__dict__, "upstreams": frozenset(upstreams), "user_known": user_known, "ipv6": ipv6(),
        "nameserver": server[1] if server else "",
    })  # fmt: skip
    for path, text in texts.items():
        path.write_text(rewritten(text, ground))
    first = etc / os.path.relpath(main, "/etc/nginx")
    if loaded := [module for kind in ("stream", "mail") if (module := to_load(kind, first.read_text()))]:
        first.write_text(" ".join(f"load_module {module};" for module in loaded) + " " + first.read_text())
    return first


def to_load(kind: str, text: str) -> str:
    """What the image's server has built in, and this machine's may have beside it."""
    used = re.search(rf"^\s*{kind}\s*\{{", text, re.MULTILINE) and f"ngx_{kind}_module" not in text
    places = (f"{folder}/ngx_{kind}_module.so" for folder in ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"))
    return next((place for place in places if used and os.path.exists(place)), "")


def read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def user_known(name: str) -> bool:
    import pwd

    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tried:
            tried.bind(("::", 0))
    except OSError:
        return False
    return True


def nginx(words: Sequence[str]) -> None:
    """Never returns: it becomes nginx."""
    run = Path(os.environ["MADANG_RUN"]) / "madang"
    (run / "log").mkdir(parents=True, exist_ok=True)
    main, said, rest = "/etc/nginx/nginx.conf", [], list[str]()
    pending = iter(words)
    for word in pending:
        if word == "-c":
            main = os.path.join("/etc/nginx", next(pending, "nginx.conf"))
        elif word == "-g":
            said += [one.strip() for one in next(pending, "").split(";")]
        else:
            rest.append(word)
    kept = [one for one in said if one and one.split()[0] not in OURS]
    directives = "; ".join([*kept, "daemon off", f"pid {run}/nginx.pid"]) + ";"
    server = os.environ["MADANG_SERVER"]
    os.execv(server, [server, "-e", "/dev/stderr", "-c", str(render(run, main)), "-g", directives, *rest])


def own_scripts() -> None:
    """What the service has put beside the image's first steps."""
    for target, place in mounted(os.environ).items():
        if target.rstrip("/") == "/docker-entrypoint.d" or target.startswith("/docker-entrypoint.d/"):
            for script in sorted(Path(place).iterdir()) if os.path.isdir(place) else [Path(place)]:
                if script.suffix == ".sh" and os.access(script, os.X_OK):
                    subprocess.run([str(script)], check=True)


def main(words: Sequence[str]) -> None:
    program, *rest = words or ["nginx"]
    if program == "envsubst":
        shown = VARIABLE.findall(rest[0]) if rest else None
        names = None if shown is None else {a or b for a, b in shown}
        text = substituted(sys.stdin.read(), os.environ, lambda name: names is None or name in names, unset=True)
        sys.stdout.write(text)
    elif program in ("nginx", "nginx-debug") or program.startswith("-"):
        if not ASKS.intersection(words):
            own_scripts()
        nginx(rest if not program.startswith("-") else words)
    else:
        os.execvp(program, list(words))


if __name__ == "__main__":
    main(sys.argv[1:])
