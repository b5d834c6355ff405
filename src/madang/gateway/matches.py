"""HTTPRoute matches -> conditions in HAProxy's words.

In: one `matches` item. Out: path type and value, conditions, the rank that the precedence rules give it. What cannot
be matched exactly or safely is refused with the field and the value.
"""

import re
from typing import NamedTuple

from madang.gateway.table import PathType
from madang.haproxy.quoting import word
from madang.ports.objects import Obj

TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+")
PATH = re.compile(r"/[^\s#?\x00-\x1f\x7f]*")
# A group that is repeated and itself holds a repetition, back references and look-arounds: backtracking without end.
UNSAFE = re.compile(r"\([^)]*[*+][^)]*\)[*+{]|\\[1-9]|\(\?[=!<]")


class Unsupported(ValueError):
    """A value that cannot be honoured exactly: the route is not accepted (reason UnsupportedValue)."""


class Matched(NamedTuple):
    type: PathType
    path: str
    conditions: tuple[str, ...]
    rank: tuple[int, int, int]


def read(match: Obj, at: str) -> Matched:
    path = match.get("path") or {}
    kind: PathType = path.get("type", "PathPrefix")
    value = path.get("value", "/")
    headers, queries = match.get("headers") or (), match.get("queryParams") or ()
    conditions: list[str] = []
    if kind == "RegularExpression":
        conditions.append("{ path -m reg " + word(f"^(?:{_pattern(value, f'{at}.path.value')})$") + " }")
    elif kind not in ("Exact", "PathPrefix"):
        raise Unsupported(f"{at}.path.type: {kind!r} is not one of Exact, PathPrefix, RegularExpression")
    elif not PATH.fullmatch(value):
        raise Unsupported(f"{at}.path.value: {value!r} is not a path that a request can have")
    if match.get("method"):
        conditions.append("{ method " + word(match["method"]) + " }")
    for i, header in enumerate(headers):
        conditions.append(_header(header, f"{at}.headers[{i}]"))
    for i, query in enumerate(queries):
        conditions.append(_query(query, f"{at}.queryParams[{i}]"))
    rank = (0 if match.get("method") else 1, -len(headers), -len(queries))
    return Matched(kind, value, tuple(conditions), rank)


def _header(header: Obj, at: str) -> str:
    if not TOKEN.fullmatch(header["name"]):
        raise Unsupported(f"{at}.name: {header['name']!r} is not a header's name")
    return "{ req.fhdr(" + str(header["name"]).lower() + ") " + _how(header, at) + " }"


def _query(query: Obj, at: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.~-]+", query["name"]):
        raise Unsupported(f"{at}.name: {query['name']!r} is not a parameter name that can be looked for here")
    return "{ url_param(" + str(query["name"]) + ") " + _how(query, at) + " }"


def _how(matcher: Obj, at: str) -> str:
    kind, value = matcher.get("type", "Exact"), str(matcher["value"])
    if kind == "RegularExpression":
        return "-m reg " + word(f"^(?:{_pattern(value, f'{at}.value')})$")
    if kind != "Exact":
        raise Unsupported(f"{at}.type: {kind!r} is not one of Exact, RegularExpression")
    return "-m str -- " + word(value)


def _pattern(value: str, at: str) -> str:
    """A pattern that means the same to everybody and cannot hang a worker."""
    try:
        re.compile(value)
    except re.error as error:
        raise Unsupported(f"{at}: {value!r} is not a regular expression: {error}") from error
    if UNSAFE.search(value):
        raise Unsupported(f"{at}: {value!r} can take unbounded time (nested repetition, back reference, look-around)")
    return value
