"""A file against the Compose Specification's own schema, in words that lead a person to the mistake.

In: one interpolated document. Out: messages with file, line, path, what was found, what is allowed; close matches for
unknown keys; `without` takes the wrong places away, so that reading goes on to what else is wrong. The schema is the
specification's (compose-spec.json beside this file).
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from madang.app.document import Map, Mark, Seq, plain
from madang.app.field import found

WORDS = {
    "object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number", "number": "a number",
    "boolean": "true or false", "null": "nothing",
}  # fmt: skip


@cache
def validator() -> Any:
    from jsonschema import Draft202012Validator

    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    return Draft202012Validator(schema)


class Wrong(NamedTuple):
    """`path` leads to what is wrong, also where that is a key that nobody knows."""

    message: str
    path: tuple[Any, ...]
    line: int


def faults(document: Map) -> list[Wrong]:
    """Every fault, in the order of the file."""
    out: dict[str, Wrong] = {}
    for error in validator().iter_errors(plain(document)):
        for path, text, key in _told(document, error):
            whole = (*path, key) if key is not None else tuple(path)
            place = place_of(document, whole)
            message = f"{place}: {dotted(path)}: {text}" if path else f"{place}: {text}"
            out.setdefault(message, Wrong(message, whole, place.line))
    return sorted(out.values(), key=lambda wrong: wrong.line)


def without(document: Map, wrong: Sequence[Wrong]) -> bool:
    """Takes the wrong places away. False where that would leave too little to say more about the rest: a service, or
    a whole section, is not what it should be."""
    if any(len(one.path) < 3 for one in wrong):
        return False
    for path in sorted({one.path for one in wrong}, key=_backwards, reverse=True):
        here: Any = document
        for step in path[:-1]:
            known = step in here if isinstance(here, Map) else isinstance(here, Seq) and step < len(here)
            here = here[step] if known else None
        last = path[-1]
        if isinstance(here, Map):
            here.pop(last, None)
        elif isinstance(here, Seq) and last < len(here):
            del here[last], here.marks[last]
    return True


def _backwards(path: Sequence[Any]) -> list[str]:
    """Entries of a list in their order: the last one goes first, so that the others keep their numbers."""
    return [f"{step:08d}" if isinstance(step, int) else str(step) for step in path]


def _told(document: Map, error: Any) -> Iterator[tuple[Sequence[Any], str, str | None]]:
    """(path, what is wrong, the key that is unknown there)."""
    path = list(error.absolute_path)
    match error.validator:
        case "oneOf" | "anyOf":
            yield from _best(document, error)
        case "additionalProperties":
            allowed = sorted(error.schema.get("properties", {}))
            for key in unknown(error):
                yield path, unknown_key(key, allowed), key
        case "type":
            kinds = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
            yield path, f"expected {' or '.join(WORDS[k] for k in kinds)}, found {found(error.instance)}", None
        case "enum":
            yield (
                path,
                f"expected one of {', '.join(map(str, error.validator_value))}, found {found(error.instance)}",
                None,
            )
        case "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            yield path, f"lacks {' and '.join(missing)}", None
        case "uniqueItems":
            yield path, "the same entry stands here twice", None
        case _:
            yield path, str(error.message), None


def _best(document: Map, error: Any) -> Iterator[tuple[Sequence[Any], str, str | None]]:
    """Of several forms the one that the value's type fits; where none fits, what would."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    here = [b for b in branches.values() if not any(e.validator == "type" and not e.relative_path for e in b)]
    if here:
        for inner in min(here, key=len):
            yield from _told(document, inner)
        return
    kinds: list[str] = []
    for inner in error.context:
        if inner.validator == "type" and not inner.relative_path:
            value = inner.validator_value
            kinds += [WORDS[k] for k in ([value] if isinstance(value, str) else value) if WORDS[k] not in kinds]
    yield list(error.absolute_path), f"expected {' or '.join(kinds)}, found {found(error.instance)}", None


def unknown(error: Any) -> list[str]:
    import re

    patterns = error.schema.get("patternProperties", {})
    known = error.schema.get("properties", {})
    return [k for k in error.instance if k not in known and not any(re.search(p, k) for p in patterns)]


def unknown_key(key: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, allowed, n=2, cutoff=0.6)
    if near:
        return f'unknown key "{key}"; did you mean {" or ".join(json.dumps(n) for n in near)}?'
    few = f"; known are {', '.join(allowed)}" if 0 < len(allowed) <= 20 else ""
    return f'unknown key "{key}"{few}; a key of your own begins with x-'


def place_of(document: Any, path: Sequence[Any]) -> Mark:
    """The nearest mark at or above a path."""
    mark: Mark = document.mark
    here = document
    for step in path:
        if not isinstance(here, Map | Seq) or (step not in here if isinstance(here, Map) else step >= len(here)):
            break
        mark, here = here.marks[step], here[step]
    return mark


def dotted(path: Sequence[Any]) -> str:
    out = ""
    for step in path:
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else str(step)
    return out
