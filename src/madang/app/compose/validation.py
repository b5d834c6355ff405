"""A file against the Compose Specification's own schema, in words that lead a person to the mistake.

In: one interpolated document. Out: messages with file, line, path, what was found, what is allowed; close matches for
unknown keys. The schema is the specification's (compose-spec.json beside this file).
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

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


def faults(document: Map) -> list[str]:
    """Every fault, in the order of the file."""
    out: dict[str, int] = {}
    for error in validator().iter_errors(plain(document)):
        for path, text, line in _told(document, error):
            place = line if line is not None else place_of(document, path)
            out.setdefault(f"{place}: {dotted(path)}: {text}" if path else f"{place}: {text}", place.line)
    return sorted(out, key=lambda message: out[message])


def _told(document: Map, error: Any) -> Iterator[tuple[Sequence[Any], str, Mark | None]]:
    path = list(error.absolute_path)
    match error.validator:
        case "oneOf" | "anyOf":
            yield from _best(document, error)
        case "additionalProperties":
            allowed = sorted(error.schema.get("properties", {}))
            for key in unknown(error):
                yield path, unknown_key(key, allowed), place_of(document, [*path, key])
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


def _best(document: Map, error: Any) -> Iterator[tuple[Sequence[Any], str, Mark | None]]:
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
