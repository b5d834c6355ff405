"""Starts nginx as its image does, on files as people write them for the image. A program of its own: standard library.

In: the environment (`MADANG_SERVER` the server, `MADANG_ETC` where /etc/nginx stands, `MADANG_RUN` a folder of this
instance alone, `MADANG_FILES` what the service mounts, as TARGET=PLACE lines whose targets lack their first
slash, `MADANG_LOWEST` the first port that may be opened) and the image's command. Out: nginx, on a copy of its
configuration that holds on this machine (`directives.py`).
"""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from madang.app.images.directives import OURS, TEMPORARY, Ground, rewritten

HTML = "/usr/share/nginx/html"
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
SERVICE_PORT = re.compile(r"(\w+)_SERVICE_PORT_PORT_(\d+)")
FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules")
LOADABLE = ("stream", "mail")
ASKS = {"-s", "-t", "-T", "-v", "-V", "-h", "-?"}  # what is asked of an nginx that runs, or of none


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


def overlaid(files: Mapping[str, str], html: Path) -> Mapping[str, str]:
    """Single pages that could not be mounted among the image's: a folder of links that shows them all."""
    single = {t: place for t, place in files.items() if t.startswith(HTML + "/") and t != place}
    if not single or HTML in files:
        return files
    shutil.rmtree(html, ignore_errors=True)
    html.mkdir(parents=True)
    pages = {f"{HTML}/{page.name}": str(page) for page in Path(HTML).glob("*")}
    for target, place in {**pages, **single}.items():
        link = html / os.path.relpath(target, HTML)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(place)
    return {**files, HTML: str(html)}


def below(target: str) -> bool:
    return target == "/etc/nginx" or target.startswith("/etc/nginx/")


def copy(etc: Path, files: Mapping[str, str]) -> None:
    """The configuration as the container shows it, with what could not be mounted there laid on top."""
    shutil.rmtree(etc, ignore_errors=True)
    shutil.copytree(os.environ["MADANG_ETC"], etc, dirs_exist_ok=True, copy_function=copied)
    for target, place in files.items():
        if below(target) and target != place:
            inside = etc / os.path.relpath(target, "/etc/nginx")
            if os.path.isdir(place):
                shutil.copytree(place, inside, dirs_exist_ok=True, copy_function=copied)
            else:
                inside.parent.mkdir(parents=True, exist_ok=True)
                copied(place, str(inside))
    for pattern in filter(below, (f"/{path}" for path in os.environ.get("MADANG_REMOVED", "").split())):
        for gone in list(etc.glob(os.path.relpath(pattern, "/etc/nginx"))):
            if not any(kept(gone, etc, target) for target in files):
                gone.unlink()


def copied(source: str, target: str) -> str:
    """A private key stays private, what is read-only can be written anew."""
    shutil.copyfile(source, target)
    os.chmod(target, stat.S_IMODE(os.stat(source).st_mode) | 0o600)
    return target


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
    files = overlaid(mounted(env), run / "html")
    copy(etc, files)
    fill_templates(etc, env)
    if not below(main):  # another main file, with `nginx -c`
        shutil.copyfile(files.get(main, main), etc / "own.conf")
        main = "/etc/nginx/own.conf"
    ground = ground_of(env, read("/etc/hosts"), str(run), str(etc), files)
    texts = dict(files_of(etc))
    upstreams = re.findall(r"\bupstream\s+([\w.-]+)\s*\{", "\n".join(texts.values()))
    server = re.search(r"^nameserver\s+(\S+)", read("/etc/resolv.conf"), re.MULTILINE)
    ground = replace(
        ground, upstreams=frozenset(upstreams), user_known=user_known, ipv6=ipv6(),
        nameserver=server[1] if server else "",
    )  # fmt: skip
    for path, text in texts.items():
        path.write_text(rewritten(text, ground))
    first = etc / os.path.relpath(main, "/etc/nginx")
    loaded = [module for kind in LOADABLE if (module := to_load(kind, first.read_text()))]
    if loaded:
        first.write_text(" ".join(f"load_module {module};" for module in loaded) + " " + first.read_text())
    return first


def to_load(kind: str, text: str) -> str:
    """What the image's server has built in, and this machine's may have beside it."""
    if not re.search(rf"^\s*{kind}\s*\{{", text, re.MULTILINE) or f"ngx_{kind}_module" in text:
        return ""
    for folder in FOLDERS:
        if os.path.exists(place := f"{folder}/ngx_{kind}_module.so"):
            return place
    built = subprocess.run([os.environ["MADANG_SERVER"], "-V"], capture_output=True, text=True, check=False).stderr
    if not re.search(rf"--with-{kind}(?!\S)", built):
        sys.exit(
            f"the configuration has {kind} {{ }}, which the image's nginx knows and this machine's does not: "
            f"install its module (Debian, Ubuntu: apt-get install libnginx-mod-{kind})"
        )
    return ""


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
