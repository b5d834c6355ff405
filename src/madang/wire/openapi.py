"""/openapi/v3: the kind table's documents, encoded once and kept.

In: a path below /openapi/v3. Out: bytes; None where there is no such document. kubectl asks here, before it applies,
whether a PATCH takes `fieldValidation`, and for merge keys; `kubectl explain` for fields.
"""

from functools import cache

import orjson

from madang.kinds import openapi


@cache
def index() -> bytes:
    return orjson.dumps(openapi.index())


@cache
def document(path: str) -> bytes | None:
    """By `api/v1` or `apis/GROUP/VERSION`."""
    parts = path.split("/")
    if parts[:-1] == ["api"]:
        found = openapi.document("", parts[1])
    else:
        found = openapi.document(parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else None
    return orjson.dumps(found) if found else None
