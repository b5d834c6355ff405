"""How the API refuses an apply that would take fields from other managers.

In: conflicts by manager. Out: the 409 whose causes name each field.
"""

from collections.abc import Iterator

import orjson

from madang.kinds.managed.entries import Identity
from madang.kinds.managed.sets import SELF, Set, member
from madang.ports.errors import Conflict


def refusal(found: dict[Identity, Set]) -> Conflict:
    rows = [(speak(identity), path) for identity, fields in found.items() for path in paths(fields)]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path}
        for who, path in sorted(rows, key=lambda r: r[0], reverse=True)
    ]
    if len(rows) == 1:
        who, path = rows[0]
        message = f"Apply failed with 1 conflict: conflict with {who}: {path}"
    else:
        lines = []
        for who in sorted({w for w, _ in rows}):
            lines.append(f"conflicts with {who}:")
            lines += [f"- {path}" for w, path in rows if w == who]
        message = f"Apply failed with {len(rows)} conflicts: " + "\n".join(lines)
    return Conflict(message, details={"causes": causes})


def speak(identity: Identity) -> str:
    words = orjson.dumps(identity.manager).decode()
    if identity.subresource:
        words += f" with subresource {orjson.dumps(identity.subresource).decode()}"
    return f"{words} using {identity.api_version}" if identity.operation == "Update" else words


def paths(fields: Set, before: str = "") -> Iterator[str]:
    """Of each member, in order: `.spec.containers[name="a"].image`."""
    for key in sorted(k for k in fields if k != SELF):
        inner, path = fields[key], before + spoken(key)
        if member(inner):
            yield path
        if inner:
            yield from paths(inner, path)


def spoken(key: str) -> str:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    pairs = orjson.loads(rest)
    return "[" + ",".join(f"{k}={orjson.dumps(v).decode()}" for k, v in sorted(pairs.items())) + "]"
