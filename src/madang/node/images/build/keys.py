"""Names for results: the same parent, the same step and the same files give the same key. Pure.

In: the parent's key and whatever decides what a step does (never times). Out: 64 hexadecimal digits.
"""

import hashlib
import json
from dataclasses import asdict, is_dataclass
from typing import Any

FORMAT = 1  # another number forgets what was built before: raise it when a step's result changes


def key(parent: str, kind: str, *parts: Any) -> str:
    text = json.dumps([FORMAT, parent, kind, *parts], sort_keys=True, ensure_ascii=True, default=plain)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"no part of a key: {value!r}")
