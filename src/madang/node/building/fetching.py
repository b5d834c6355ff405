"""What ADD fetches, once a build: files by http(s), repositories by git.

In: a `Remote`, a folder of one's own. Out: a `Tree` that holds it, and a digest that names it: the file's sha256, the
commit. What a checksum names is fetched only when a step is done. Raises `Failed` with the line. Nothing is asked of a
person, no credentials are used, and git speaks http(s) and its own protocol alone.
"""

import hashlib
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from threading import Lock

import httpx

from madang.node.building.copying import Failed
from madang.node.building.trees import Tree
from madang.node.images.build.remotes import Remote

QUIET_S = 30.0  # without a byte
REDIRECTS = 10
PIECE = 1 << 18
GIT_S = 600
PROTOCOLS = [f"protocol.{name}.allow={'always' if name in ('http', 'https', 'git') else 'never'}"
             for name in ("http", "https", "git", "file", "ext", "ssh")]  # fmt: skip
SUBMODULES = ("submodule", "update", "--init", "--recursive", "--depth", "1")


class Fetching:
    """`work` is made when something is fetched. Several threads may ask for the same."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._found: dict[Remote, tuple[Path, str]] = {}
        self._locks: defaultdict[Remote, Lock] = defaultdict(Lock)

    def digest(self, one: Remote) -> str:
        """A file's checksum is told without fetching it; a commit may be told in short."""
        return one.checksum if one.kind == "file" and one.checksum else self._whole(one)[1]

    def tree(self, one: Remote) -> tuple[Tree, tuple[str, ...]]:
        """Where it is, and which pattern chooses it."""
        place, _ = self._whole(one)
        return Tree(place), (one.folder or ".",) if one.kind == "git" else (named(one),)

    def _whole(self, one: Remote) -> tuple[Path, str]:
        with self._locks[one]:
            if one not in self._found:
                place = self.work / hashlib.sha256(repr(one).encode()).hexdigest()[:16]
                place.mkdir(parents=True)
                self._found[one] = place, download(one, place) if one.kind == "file" else clone(one, place)
            return self._found[one]


def named(one: Remote) -> str:
    return one.name or "index"


def download(one: Remote, place: Path) -> str:
    told, target = hashlib.sha256(), place / named(one)
    try:
        with (
            httpx.Client(timeout=QUIET_S, follow_redirects=True, max_redirects=REDIRECTS) as client,
            client.stream("GET", one.url, headers={"accept-encoding": "identity"}) as answer,
            open(target, "xb") as file,
        ):
            if answer.status_code != 200:
                raise Failed(one.line, f"ADD {one.url}: answered {answer.status_code} {answer.reason_phrase}".rstrip())
            for piece in answer.iter_bytes(PIECE):
                told.update(piece)
                file.write(piece)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failed(one.line, f"ADD {one.url}: {error or type(error).__name__}") from error
    except OSError as error:
        raise Failed(one.line, f"ADD {one.url}: {error.strerror or error}") from error
    os.chmod(target, 0o600)
    digest = f"sha256:{told.hexdigest()}"
    if one.checksum and digest != one.checksum:
        raise Failed(one.line, f"ADD {one.url}: its checksum is {digest}, expected {one.checksum}")
    return digest


def clone(one: Remote, place: Path) -> str:
    """What `ref` names, without its history; a server that gives no part of a history gives all of it."""
    git(one, place, "init", "--quiet")
    ref = one.ref or "HEAD"
    if code(place, "fetch", "--quiet", "--depth", "1", one.url, ref):
        git(one, place, "fetch", "--quiet", "--tags", one.url, "+refs/heads/*:refs/remotes/from/*", "HEAD")
        found = [name for name in (f"refs/remotes/from/{ref}", f"refs/tags/{ref}", ref) if known(place, name)]
        ref = "FETCH_HEAD" if ref == "HEAD" else found[0] if found else ref
    else:
        ref = "FETCH_HEAD"
    git(one, place, "checkout", "--quiet", "--detach", ref)
    commit = git(one, place, "rev-parse", "HEAD").strip()
    if not commit.startswith(one.checksum):
        raise Failed(one.line, f"ADD {one.url}: its commit is {commit}, expected {one.checksum}")
    if (place / ".gitmodules").is_file():
        git(one, place, *SUBMODULES)
    shutil.rmtree(place / ".git")
    return commit


def known(place: Path, name: str) -> bool:
    return code(place, "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}") == 0


def git(one: Remote, place: Path, *words: str) -> str:
    done = called(place, *words, line=one.line)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failed(one.line, f"ADD {one.url}: git {words[0]}: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout


def code(place: Path, *words: str) -> int:
    return called(place, *words).returncode


def called(place: Path, *words: str, line: int = 0) -> "subprocess.CompletedProcess[str]":
    """None of the person's own settings, hooks or helpers; and nobody is asked for a password."""
    kept = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy") or k == "PATH"}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    settings = [
        word for text in (*PROTOCOLS, "core.hooksPath=/dev/null", "core.autocrlf=false") for word in ("-c", text)
    ]
    try:
        return subprocess.run(
            ["git", *settings, *words], cwd=place, env={**kept, **own, "HOME": str(place)}, umask=0o022,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=GIT_S, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise Failed(line, "ADD of a repository needs git, which is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(line, f"ADD of a repository: git {words[0]} took longer than {GIT_S} s") from error
