"""What a registry asks of who is not known to it: the header WWW-Authenticate.

In: the header. Out: a `Challenge`, or None where it is none that we can meet. Pure. Source: RFC 9110 section 11.6.1
and the token authentication of the distribution registry.
"""

import re
from dataclasses import dataclass

_SCHEME = re.compile(r"(?:^|,)\s*(basic|bearer)(?=\s|,|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'\s*,?\s*([a-zA-Z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    scheme: str  # "basic" or "bearer"
    realm: str = ""
    service: str = ""
    scope: str = ""


def challenge(header: str) -> Challenge | None:
    """Of several the one that gives a token."""
    found = []
    for start in _SCHEME.finditer(header):
        said, at = {}, start.end()
        while match := _PARAMETER.match(header, at):
            key, quoted, bare = match.groups()
            said[key.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            at = match.end()
        one = Challenge(start[1].lower(), said.get("realm", ""), said.get("service", ""), said.get("scope", ""))
        if one.scheme == "basic" or one.realm:
            found.append(one)
    return max(found, key=lambda c: c.scheme == "bearer", default=None)
