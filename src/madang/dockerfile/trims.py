"""The pattern forms of `${...}`: `#` `##` `%` `%%` `/` `//`. Pure.

In: a value and a shell pattern (`*`, `?`, backslash escapes; no brackets, as BuildKit has it). Out: the value without
what matched, or with it replaced. ValueError for an escape that means nothing.
"""

import re
from functools import lru_cache

ESCAPABLE = "*?\\"


@lru_cache(256)
def compiled(pattern: str) -> re.Pattern[str]:
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif char == "\\":
            follows = pattern[at : at + 1]
            if follows in ("}", "/"):
                continue  # escaped only to get past the end of ${}
            if not follows or follows not in ESCAPABLE:
                raise ValueError(f"invalid pattern ({pattern}) in substitution: invalid escape '\\{follows}'")
            out.append(re.escape(follows))
            at += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out))


def without_prefix(value: str, pattern: str, longest: bool) -> str:
    ends = range(len(value), -1, -1) if longest else range(len(value) + 1)
    return next((value[end:] for end in ends if compiled(pattern).fullmatch(value, 0, end)), value)


def without_suffix(value: str, pattern: str, longest: bool) -> str:
    starts = range(len(value) + 1) if longest else range(len(value), -1, -1)
    return next((value[:start] for start in starts if compiled(pattern).fullmatch(value, start)), value)


def replaced(value: str, pattern: str, by: str, everywhere: bool) -> str:
    return compiled(pattern).sub(lambda _: by, value, count=0 if everywhere else 1)
