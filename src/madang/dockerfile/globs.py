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
        text, at = element(pattern, at)
        out.append(text)
    return re.compile("".join(out), re.DOTALL)


def element(pattern: str, at: int) -> tuple[str, int]:
    """What stands at `at` as an expression, and where the next begins."""
    char = pattern[at]
    match char:
        case "*":
            return "[^/]*", at + 1
        case "?":
            return "[^/]", at + 1
        case "[":
            return bracket(pattern, at + 1)
        case "\\":
            if at + 1 == len(pattern):
                raise BadPattern(f"syntax error in pattern {pattern}: a backslash at the end escapes nothing")
            return re.escape(pattern[at + 1]), at + 2
    return re.escape(char), at + 1


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
