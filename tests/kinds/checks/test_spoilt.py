"""Whatever decodes can be checked: recorded objects, spoilt at random, never break a check, an owner or a patch."""

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.checks import CHECKS, STATUS_CHECKS
from madang.kinds.checks.status import invalid
from madang.kinds.managed import apply, on_create, on_update
from madang.kinds.patches import apply_merge, apply_strategic
from madang.kinds.table import by_kind
from madang.ports.errors import StatusError
from tests.kinds.checks.objects import made

BODIES = [c["body"] for c in json.loads((Path(__file__).parent / "recorded.json").read_text())]
GATEWAY = {"apiVersion": "gateway.networking.k8s.io/v1", "metadata": {"name": "x", "namespace": "n"}}
LISTENER = {"name": "web", "port": 80, "protocol": "HTTP"}
MATCH = {"path": {"type": "Exact", "value": "/a"}}
RULE = {"matches": [MATCH], "filters": [{"type": "URLRewrite", "urlRewrite": {}}], "backendRefs": [{"name": "s"}]}
BODIES += [
    GATEWAY | {"kind": "Gateway", "spec": {"gatewayClassName": "c", "listeners": [LISTENER]}},
    GATEWAY | {"kind": "HTTPRoute", "spec": {"hostnames": ["a.b"], "rules": [RULE]}},
]
JUNK: list[Any] = [None, "", 0, -1, 99_999_999, "x", "A_b", [], {}, "1Gi", True, ["x"], [{}], {"a": "b"}]


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*before, key)
        yield from places(inner, (*before, key))


def spoilt(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    body = copy.deepcopy(body)
    for _ in range(chance.randint(1, 4)):
        place = chance.choice([p for p in places(body) if p[0] not in ("apiVersion", "kind")] or [("metadata",)])
        holder: Any = body
        for key in place[:-1]:
            holder = holder[key]
        if chance.random() < 0.3:
            holder.pop(place[-1], None) if isinstance(holder, dict) else holder.pop(place[-1])
        else:
            holder[place[-1]] = copy.deepcopy(chance.choice(JUNK))
    return body


@given(st.sampled_from(BODIES), st.randoms(use_true_random=False))
def test_nothing_that_decodes_breaks_anything(body: dict[str, Any], chance: random.Random) -> None:
    group, _, version = body["apiVersion"].rpartition("/")
    served = by_kind(group, version, body["kind"])
    assert served is not None
    wanted = spoilt(body, chance)
    try:
        new, old = made(wanted), made(body)
    except StatusError:
        return
    row, node = served.kind, served.node
    for causes in (CHECKS[row.id](new, None), CHECKS[row.id](new, old), CHECKS[row.id](old, new)):
        json.dumps(invalid(row.kind, row.group, "x", causes).body() if causes else None)
    if row.id in STATUS_CHECKS:
        STATUS_CHECKS[row.id](new, old)
    entries = on_create(new, node, "one", "t") + on_update(old, new, node, "two", "t")
    owned = {**old, "metadata": {**old["metadata"], "managedFields": entries}}
    apply_merge(old, wanted)
    with contextlib.suppress(StatusError):
        json.dumps(apply(owned, wanted, node, "three", "t", force=True))
    with contextlib.suppress(StatusError):
        apply_strategic(old, wanted, node)
