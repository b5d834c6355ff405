"""From the bytes of a request to an object of a kind, as Go's decoder does it.

In: JSON and the version that the path serves. Out: the object in the API's exact form (unknown fields pruned, empty
ones dropped or written as Go writes them, quantities and times canonical) and what strict decoding found. Refused
with the API's own 400: broken JSON, another kind, a wrong type. It runs for every write.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import orjson

from madang.kinds import duplicates
from madang.kinds.json_faults import parse_fault, summary
from madang.kinds.schema import Node
from madang.kinds.table import Served, by_kind
from madang.kinds.type_faults import refusal
from madang.kinds.walker import Findings, Malformed, walk
from madang.ports.errors import BadRequest
from madang.ports.objects import Obj

NOTHING: Mapping[str, Any] = {}
Validation = Literal["Strict", "Warn", "Ignore"]
_SCHEME = "pkg/api/legacyscheme/scheme.go:30"
_HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


class Decoded(NamedTuple):
    """`warnings` are the texts for the Warning header; empty under Ignore."""

    obj: Obj
    warnings: tuple[str, ...] = ()


def decode(served: Served, body: bytes, validation: Validation = "Warn") -> Decoded:
    """Raises BadRequest; Invalid for wrong types in a custom resource. The object says its own apiVersion and kind,
    whether the body did or not."""
    return shape(served, parse(served.kind.kind, body), validation, body)


def parse(wanted: str, body: bytes) -> Obj:
    """The JSON of a body that must be an object; BadRequest as the API words it."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise _unrecognized(wanted, parse_fault(body), body) from fault
    if raw.__class__ is not dict:
        word = {list: "array", str: "string", bool: "bool"}.get(type(raw), "number")
        if raw is None:
            return {}
        raise _unrecognized(wanted, f"json: cannot unmarshal {word} into Go value of type {_HEAD}", body)
    return raw


def shape(
    served: Served,
    raw: Mapping[str, Any],
    validation: Validation = "Warn",
    body: bytes | None = None,
    *,
    known: Mapping[str, Any] = NOTHING,
) -> Decoded:
    """The same for what is decoded already (a patched object); `raw` is not changed. `known`: parts that are in their
    exact form; where `raw` holds one of these very parts, it is taken as it is (metadata as a copy of its first level,
    the only one that a write changes in place)."""
    if raw.get("apiVersion") != served.api_version or raw.get("kind") != served.kind.kind:
        _check_head(served, raw)
    kept = {name: part for name, part in known.items() if raw.get(name) is part}
    try:
        obj, found = normalize(served.node, {**raw, **dict.fromkeys(kept)}, counting=body is not None)
    except Malformed as fault:
        raise BadRequest(f"{_check_head(served, raw)}: {fault}") from fault
    if validation == "Ignore":
        notes: list[str] = []
    else:
        notes = found.notes()
        if body is not None and duplicates.possible(body, found.keys):
            notes += duplicates.find(json.loads(body, object_pairs_hook=duplicates.Pairs))
    if notes and validation == "Strict":
        raise BadRequest(f"{_check_head(served, raw)}: strict decoding error: {', '.join(notes)}")
    if "metadata" in kept:
        kept["metadata"] = {**known["metadata"]}
    if kept:  # in their places, since the order of an object's parts is seen
        obj = {name: kept.get(name, obj.get(name)) for name in (*(n for n in raw if n in obj or n in kept), *obj)}
    obj["apiVersion"], obj["kind"] = served.api_version, served.kind.kind
    if found.causes:
        raise refusal(served.group, served.kind.kind, obj, found.causes)
    return Decoded(obj, tuple(notes))


def normalize(node: Node, raw: Mapping[str, Any], *, counting: bool = False) -> tuple[Obj, Findings]:
    """An object in Go's form, with what strict decoding would say. Raises Malformed with Go's words."""
    found = Findings(counting)
    obj: Obj = walk(node, raw, found)
    if found.error:
        raise Malformed(found.error)
    return obj, found


def _unrecognized(wanted: str, fault: str, body: bytes) -> BadRequest:
    return BadRequest(
        f"the object provided is unrecognized (must be of type {wanted}): couldn't get version/kind; "
        f"json parse error: {fault} ({summary(body)})"
    )


def _check_head(served: Served, raw: Mapping[str, Any]) -> str:
    """How messages about this body begin; BadRequest where it says that it is something else."""
    said, kind = raw.get("apiVersion"), raw.get("kind")
    for value in (said, kind):
        if value is not None and value.__class__ is not str:
            raise _unrecognized(served.kind.kind, f"json: cannot unmarshal into Go value of type {_HEAD}", b"{")
    api_version, kind = said or served.api_version, kind or served.kind.kind
    group, _, version = api_version.rpartition("/")
    head = f'{kind} in version "{version}" cannot be handled as a {served.kind.kind}'
    if (group, version, kind) == (served.group, served.version, served.kind.kind):
        return head
    other = by_kind(group, version, kind)
    if other is None:
        raise BadRequest(f'{head}: no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"')
    if other.kind is not served.kind:
        internal = (served.kind.group or "core").split(".")[0]
        raise BadRequest(
            f"{head}: converting ({version}.{kind}) to ({internal}.{served.kind.kind}): unknown conversion"
        )
    raise BadRequest(
        f"the API version in the data ({api_version}) does not match the expected API version ({served.api_version})"
    )
