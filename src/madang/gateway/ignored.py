"""What Services, Gateways and classes ask for and nobody does here: an event each, beside the write's own `Warning`.

In: the objects of one decision, what was said of them before. Out: problems. Pure; a Service that has not changed is
not looked at again.
"""

from collections.abc import Iterable, Sequence

from madang.gateway.desired import Owner, Problem
from madang.gateway.memo import Memo, revisions
from madang.kinds.warnings import ignored
from madang.ports.objects import Kind, Obj


def problems(kind: Kind, objects: Iterable[Obj], memo: Memo) -> list[Problem]:
    found: list[Problem] = []
    for obj in objects:
        meta = obj["metadata"]
        owner = Owner(kind, meta.get("namespace", ""), meta["name"])
        found += memo.get(("ignored", *owner), revisions([obj]), lambda o=obj, own=owner: _of(own, o))  # type: ignore[misc]
    return found


def _of(owner: Owner, obj: Obj) -> Sequence[Problem]:
    paths = ignored.paths(owner.kind, obj)
    return [Problem(owner, "FieldsIgnored", f"not honoured by the gateway: {', '.join(paths)}")] if paths else []
