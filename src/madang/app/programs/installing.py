"""What the `pip install` of a RUN step adds to a program's virtual environment. Pure.

In: one command of a RUN step, and where the stage's copies stand. Out: (flag, value) for the installer here: packages
as they were written (without a flag), requirement files by their place in the build folder; and what only an image
could take. A project's own folder (`.`) is none of it: its dependencies are read from its pyproject.toml.
"""

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

INSTALL = re.compile(r"\bpip3?(?:\.\d+)? install\b|\buv pip install\b")
FILES = ("-r", "--requirement", "-c", "--constraint")
KEPT = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host")
# Where an image keeps its packages and how it fetches them: an environment here has its own ways.
DROPPED = (
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--timeout",
    "--retries",
    "--python",
    "--cache-dir",
    "--progress-bar",
)
UPGRADE = ("-U", "--upgrade")
TOOLS = ("pip", "setuptools", "wheel")  # upgraded in an image out of habit
INSTALLERS = ("poetry", "pipenv", "pdm", "uv")  # what they install is read from the folder's files


@dataclass(frozen=True, slots=True)
class Installed:
    """`wanted` is for the installer; `left` are the words that nothing here can stand for."""

    wanted: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()


def installed(command: str, workdir: str, copies: Sequence[tuple[str, str]]) -> Installed | None:
    """None where the command installs no Python packages (or is none that a shell would understand)."""
    found = INSTALL.search(command)
    if found is None:
        return None
    try:
        words = shlex.split(re.split(r"\s\d?[>|]", command[found.end() :])[0])
    except ValueError:
        return None
    upgrade = any(word in UPGRADE for word in words)
    wanted: list[tuple[str, str]] = []
    left: list[str] = []
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if flag in (*FILES, *KEPT, *DROPPED) and not equals:
            value = next(rest, "")
        if flag in FILES and "://" not in value:
            source = origin(value, workdir, copies)
            wanted += [(flag, source)] if source else []
            left += [] if source else [value]
        elif flag in (*FILES, *KEPT):
            wanted.append((flag, value))
        elif word == "--pre":
            wanted.append((word, ""))
        elif word.startswith((".", "/")) and not own(word):
            left.append(word)
        elif not (word.startswith("-") or flag in DROPPED or skipped(word, upgrade)):
            wanted.append(("", word))
    return Installed(tuple(wanted), tuple(left))


def skipped(word: str, upgrade: bool) -> bool:
    return own(word) or (upgrade and word in TOOLS) or re.split(r"[<>=!~\[; ]", word)[0] in INSTALLERS


def own(word: str) -> bool:
    """The project in the working folder itself, with extras or without."""
    return re.fullmatch(r"\.(/|\[[\w, -]*\])?", word) is not None


def origin(path: str, workdir: str, copies: Sequence[tuple[str, str]]) -> str:
    """The place in the build folder of what stands at a path of the image; "" where no copy brought it there."""
    wanted = posixpath.normpath(posixpath.join(workdir, path))
    for source, target in reversed(copies):
        place = posixpath.normpath(target)
        if wanted == place:
            return source
        if not wanted.startswith(place.rstrip("/") + "/"):
            continue
        inside = posixpath.relpath(wanted, place)
        if target.endswith("/") and source != "." and posixpath.basename(source) == inside:
            return source  # a file that was copied into a folder
        if source == "." or not posixpath.splitext(source)[1]:
            return posixpath.normpath(posixpath.join(source, inside))
    return ""
