"""Fields that stand twice in a JSON object: the last one counts, and strict decoding tells.

In: the body and what a parser made of it. Out: `duplicate field "data.a"`. A quick count rules nearly every body out;
only the rest is parsed again, slowly.
"""

import re
from typing import Any

_SPACED_COLON = re.compile(rb'"\s+:')


def possible(body: bytes, keys: int) -> bool:
    """False only if no key can stand twice: as many `":` as keys that were kept. `keys` may be too few (what stands
    under an unknown field isn't counted): that costs a second look and hides nothing."""
    if _SPACED_COLON.search(body):
        return True
    return body.count(b'":') - body.count(b'\\":') != keys


def key_count(value: Any) -> int:
    """Of all objects inside a value."""
    total, waiting = 0, [value]
    while waiting:
        found = waiting.pop()
        if found.__class__ is dict:
            total += len(found)
            found = found.values()
        for item in found:
            kind = item.__class__
            if kind is dict or kind is list:
                waiting.append(item)
    return total


class Pairs(dict[str, Any]):
    """A JSON object that remembers which of its keys stood twice (an `object_pairs_hook`)."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.twice = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


def find(value: Any, at: str = "") -> list[str]:
    """In the order of the document."""
    if isinstance(value, Pairs):
        found = [f'duplicate field "{f"{at}.{key}" if at else key}"' for key in dict.fromkeys(value.twice)]
        for key, item in value.items():
            found += find(item, f"{at}.{key}" if at else key)
        return found
    if isinstance(value, list):
        return [note for i, item in enumerate(value) for note in find(item, f"{at}[{i}]")]
    return []
