"""What ADD fetches: a file by http(s), or a git repository, as its address says. Pure.

In: the source as written, its variables replaced, and `--checksum`. Out: a `Remote`, None for a path of the build's
folder, or the refusal with the line. A repository is known by `git://` or by a path that ends with `.git`; behind a `#`
stand the branch, tag or commit, and behind a `:` the folder of it that is meant.
"""

import posixpath
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from madang.dockerfile.refusal import Refused

SSH = ("git@", "ssh://")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{7,64}")
REF = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_./+@]*")


@dataclass(frozen=True, slots=True)
class Remote:
    """`url` without its fragment. `ref` is what of a repository is wanted (empty: where its HEAD stands)."""

    kind: Literal["file", "git"]
    url: str
    line: int
    checksum: str = ""
    ref: str = ""
    folder: str = ""

    @property
    def name(self) -> str:
        """Of the file; empty where the address tells none."""
        name = posixpath.basename(unquote(urlsplit(self.url).path))
        return "" if name in (".", "..") or "\0" in name else name


def remote(text: str, line: int, checksum: str = "") -> Remote | None:
    if text.startswith(SSH):
        raise Refused(line, f"ADD {text}: nothing is fetched over ssh here; name the repository by https")
    scheme, sign, _ = text.partition("://")
    if not sign or scheme not in ("http", "https", "git", "file"):
        return None
    if scheme == "file":
        raise Refused(line, f"ADD {text}: only http, https and git are fetched; COPY what lies in the build's folder")
    if not urlsplit(text).hostname:
        raise Refused(line, f"ADD {text}: expected a host behind {scheme}://")
    url, _, fragment = text.partition("#")
    if scheme == "git" or urlsplit(url).path.endswith(".git"):
        return repository(text, url, fragment, line, checksum)
    if checksum and not DIGEST.fullmatch(checksum):
        raise Refused(line, f'ADD --checksum={checksum}: expected "sha256:" and 64 hexadecimal digits')
    return Remote("file", url, line, checksum)


def repository(text: str, url: str, fragment: str, line: int, checksum: str) -> Remote:
    ref, _, folder = fragment.partition(":")
    folder = posixpath.normpath(posixpath.join("/", folder)).lstrip("/")
    if ref and (not REF.fullmatch(ref) or ".." in ref):
        raise Refused(line, f"ADD {text}: {ref!r} is no branch, tag or commit")
    if checksum and not COMMIT.fullmatch(checksum):
        raise Refused(line, f"ADD --checksum={checksum}: expected a commit of the repository, 7 to 64 digits of it")
    return Remote("git", url, line, checksum, ref, folder)
