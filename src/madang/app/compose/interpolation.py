"""`$NAME` and `${NAME...}` in the values of a Compose file.

In: a text and the variables. Out: the text with values in place. Forms: `$NAME`, `${NAME}`, `${NAME:-word}`,
`${NAME-word}`, `${NAME:?word}`, `${NAME?word}`, `${NAME:+word}`, `${NAME+word}`, words nested, `$$` for a dollar
(Compose Specification, interpolation). A variable that is not set and has no default is empty, and is named.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from madang.app.document import Map, Mark, Seq

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPERATOR = re.compile(r":?[-?+]")


class InterpolationError(Exception):
    pass


def interpolate(text: str, variables: Mapping[str, str], missing: Callable[[str], None]) -> str:
    out, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        out.append(text[at:dollar])
        value, at = _one(text, dollar, variables, missing)
        out.append(value)
    out.append(text[at:])
    return "".join(out)


def _one(text: str, dollar: int, variables: Mapping[str, str], missing: Callable[[str], None]) -> tuple[str, int]:
    """The value of what begins at `dollar`, and where the text goes on."""
    after = text[dollar + 1 : dollar + 2]
    if after == "$":
        return "$", dollar + 2
    if after == "{":
        end = _closing(text, dollar)
        return _braced(text, text[dollar + 2 : end], variables, missing), end + 1
    plain = NAME.match(text, dollar + 1)
    if plain is None:
        raise InterpolationError(f"a `$` before no name in {text!r}: write `$$` for a dollar sign")
    return _value(plain[0], variables, missing), plain.end()


def _closing(text: str, dollar: int) -> int:
    depth, at = 0, dollar
    while at < len(text):
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            continue
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise InterpolationError(f"`${{` without its `}}` in {text!r}")


def _braced(whole: str, inside: str, variables: Mapping[str, str], missing: Callable[[str], None]) -> str:
    name = NAME.match(inside)
    if name is None:
        raise InterpolationError(f"`${{{inside}}}` in {whole!r} names no variable")
    rest = inside[name.end() :]
    if not rest:
        return _value(name[0], variables, missing)
    operator = OPERATOR.match(rest)
    if operator is None:
        raise InterpolationError(f"`${{{inside}}}` in {whole!r}: after the name comes one of :- - :? ? :+ +")
    word, value = rest[operator.end() :], variables.get(name[0])
    is_set = value is not None and (value != "" or not operator[0].startswith(":"))
    match operator[0][-1]:
        case "-":
            return str(value) if is_set else interpolate(word, variables, missing)
        case "+":
            return interpolate(word, variables, missing) if is_set else ""
        case _:
            if is_set:
                return str(value)
            said = interpolate(word, variables, missing)
            raise InterpolationError(f"the variable {name[0]} must be set" + (f": {said}" if said else ""))


def _value(name: str, variables: Mapping[str, str], missing: Callable[[str], None]) -> str:
    if name not in variables:
        missing(name)
    return variables.get(name, "")


def interpolated(
    value: Any,
    variables: Mapping[str, str],
    faults: list[str],
    warnings: list[str],
    path: str = "",
    mark: Mark | None = None,
) -> Any:
    """A whole tree of `document`, with each fault at its place."""
    if isinstance(value, Map):
        copy = Map(mark=value.mark)
        copy.override = value.override
        for key, one in value.items():
            inside = f"{path}.{key}" if path else key
            copy.put(key, interpolated(one, variables, faults, warnings, inside, value.marks[key]), value.marks[key])
        return copy
    if isinstance(value, Seq):
        out = Seq(mark=value.mark)
        out.override = value.override
        for number, (one, place) in enumerate(zip(value, value.marks, strict=True)):
            out.put(interpolated(one, variables, faults, warnings, f"{path}[{number}]", place), place)
        return out
    if not isinstance(value, str) or "$" not in value:
        return value

    def missing(name: str) -> None:
        text = f"{mark}: {path}: the variable {name} is not set; it counts as empty"
        if text not in warnings:
            warnings.append(text)

    try:
        return interpolate(value, variables, missing)
    except InterpolationError as error:
        faults.append(f"{mark}: {path}: {error}")
        return value
