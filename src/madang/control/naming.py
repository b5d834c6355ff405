"""Names that controllers give: hashes of templates, free generated names.

In: a template, a prefix and injected chance. Out: short names in Kubernetes' safe alphabet.
"""

import hashlib
from typing import Any

import orjson

from madang.ports.chance import LETTERS, Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

HASH_LABEL = "pod-template-hash"
REMEMBERED = 256
_bare: dict[int, tuple[Obj, Any]] = {}  # by identity: objects are never changed, and it holds them
_same: dict[tuple[int, int], tuple[Any, Any, bool]] = {}  # of two bare ones, likewise


def template_hash(template: Obj, collisions: int | None) -> str:
    """The same for equal templates in every process; another one after a collision. At most 10 letters."""
    text = orjson.dumps(bare(template), option=orjson.OPT_SORT_KEYS) + (
        b"" if collisions is None else b"%d" % collisions
    )
    number = int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
    return "".join(LETTERS[ord(digit) % len(LETTERS)] for digit in str(number))


def same_template(one: Obj, other: Obj) -> bool:
    """Equal but for the hash label that the controller itself added."""
    if one is other:
        return True
    left, right = bare(one), bare(other)
    pair = id(left), id(right)
    known = _same.get(pair)
    if known is None or known[0] is not left or known[1] is not right:
        known = _same[pair] = (left, right, bool(left == right))
        if len(_same) > REMEMBERED:
            del _same[next(iter(_same))]
    return known[2]


def bare(template: Obj) -> Any:
    """Of the templates that were asked for last it is known: each of their decisions asks again."""
    known = _bare.get(id(template))
    if known is None or known[0] is not template:
        known = _bare[id(template)] = (template, _made_bare(template))
        if len(_bare) > REMEMBERED:
            del _bare[next(iter(_bare))]
    return known[1]


def _made_bare(template: Obj) -> Any:
    metadata = template.get("metadata") or {}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    return full({**template, "metadata": {**metadata, "labels": labels}})


def full(value: Any) -> Any:
    """Without what Go leaves out: nulls and empty maps or lists among the fields of a map."""
    if isinstance(value, dict):
        return {k: kept for k, v in value.items() if (kept := full(v)) not in (None, {}, [])}
    return [full(v) for v in value] if isinstance(value, list) else value


def free_name(kind: Kind, namespace: str, prefix: str, view: View, chance: Chance, taken: set[str]) -> str:
    """`prefix` and five letters, unlike any name there is or in `taken` (which it joins)."""
    while True:
        name = prefix[:58] + chance.suffix(5)
        if name not in taken and view.get(kind, namespace, name) is None:
            taken.add(name)
            return name
