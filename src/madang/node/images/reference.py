"""The name of an image, as docker and every registry read it.

In: what a person or a manifest writes (`redis:7`, `localhost:5000/shop/cart@sha256:...`, `sha256:...`). Out: a
`Reference` with domain, path, tag and digest filled in (`docker.io/library/redis:7`), or ValueError that says what is
wrong. The rules are those of distribution/reference: the first part is a domain if it holds a dot, a colon or a
capital, or is `localhost`; without one it is Docker Hub, whose official images lie under `library/`.
"""

import re
from dataclasses import dataclass

HUB, OFFICIAL, LATEST = "docker.io", "library/", "latest"
NAME_LENGTH = 255

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """`domain` and `path` are empty where only a digest was given."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        return f"{self.domain}/{self.path}" if self.path else ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}@{self.digest}".removeprefix("@") if self.digest else f"{self.name}{tag}"

    @property
    def familiar(self) -> str:
        """As people write it: without what is understood by itself."""
        short = str(self).removeprefix(f"{HUB}/") if self.domain == HUB else str(self)
        return short.removeprefix(OFFICIAL) if self.domain == HUB else short


def parse(text: str) -> Reference:
    """Raises ValueError with the text and the rule that it breaks. A name with neither tag nor digest gets the tag
    `latest`."""
    if DIGEST.fullmatch(text):
        return Reference("", "", digest=text)
    if _IDENTIFIER.fullmatch(text):
        raise ValueError(f'image "{text}": 64 hexadecimal digits are no name; as a digest write sha256:{text[:12]}...')
    rest, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        raise ValueError(f'image "{text}": expected "sha256:" and 64 hexadecimal digits after "@", found "{digest}"')
    domain, path = _divided(rest)
    path, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(
            f'image "{text}": expected a tag of at most 128 letters, digits, "_", "." and "-", found "{tag}"'
        )
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(f'image "{text}": "{domain}" is no registry (a host name, and maybe a port)')
    if path != path.lower():
        raise ValueError(f'image "{text}": the name must be lower case: "{path.lower()}"')
    if not _PATH.fullmatch(path):
        raise ValueError(
            f'image "{text}": expected names of lower-case letters and digits, joined by ".", "_", "__" or "-", with '
            f'"/" between them, found "{path}"'
        )
    if len(f"{domain}/{path}") > NAME_LENGTH:
        raise ValueError(f'image "{text[:40]}...": a name has at most {NAME_LENGTH} characters')
    return Reference(domain, path, tag or ("" if digest else LATEST), digest)


def _divided(rest: str) -> tuple[str, str]:
    """(domain, path with its tag)."""
    first, slash, others = rest.partition("/")
    if not slash or not (set(".:") & set(first) or first == "localhost" or first != first.lower()):
        domain, path = HUB, rest
    else:
        domain, path = first, others
    if domain == "index.docker.io":
        domain = HUB
    if domain == HUB and "/" not in path:
        path = OFFICIAL + path
    return domain, path
