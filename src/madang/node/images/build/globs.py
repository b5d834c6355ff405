"""Patterns of COPY and ADD sources: Go's `filepath.Match`, which knows no `**`. Pure.

In: a pattern, or a path. Out: a regular expression that matches whole paths. `BadPattern` says what cannot be read.
"""

import re
from functools import lru_cache

WILD = re.compile(r"[*?\[\\]")


class BadPattern(ValueError):
    pass


def is_wild(text: str) -> bool:
    return WILD.search(text) is not None


@lru_cache(256)
def compiled(pattern: str) -> re.Pattern[str]:
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            text, at = bracket(pattern, at)
            out.append(text)
        elif char == "\\":
            if at == len(pattern):
                raise BadPattern(f"syntax error in pattern {pattern}: a backslash at the end escapes nothing")
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out), re.DOTALL)


def bracket(pattern: str, at: int) -> tuple[str, int]:
    """A character class, from behind its `[`; it never matches a slash."""
    start = at
    out = "(?!/)["
    if pattern.startswith("^", at):
        out, at = out + "^", at + 1
    first = at
    while True:
        low, at = member(pattern, at, start)
        high = low
        if pattern.startswith("-", at):
            high, at = member(pattern, at + 1, start)
        if low > high:
            raise BadPattern(f"syntax error in pattern {pattern}: {low}-{high} holds nothing")
        out += re.escape(low) + (f"-{re.escape(high)}" if high != low else "")
        if pattern.startswith("]", at) and at > first:
            return out + "]", at + 1


def member(pattern: str, at: int, start: int) -> tuple[str, int]:
    char = pattern[at : at + 1]
    if char == "\\":
        at += 1
        char = pattern[at : at + 1]
    elif char in ("", "-", "]"):
        raise BadPattern(f"syntax error in pattern {pattern}: the bracket at {start} has no end, or is empty")
    if not char:
        raise BadPattern(f"syntax error in pattern {pattern}: the bracket at {start} has no end")
    return char, at + 1
