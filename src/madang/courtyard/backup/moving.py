"""What a state must forget and relearn when it comes from elsewhere, or from another time.

In: rows of the state, texts of programs. Out: the same, with paths that lead below the new home, and with nothing
ready: no program of it runs yet, and whoever waits for it must not be told that all is well already.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import orjson

from madang.kinds.phase import ended
from madang.ports.journal import Row
from madang.ports.objects import Obj

COUNTS = ("readyReplicas", "availableReplicas")
READY = ("Ready", "ContainersReady")


class Moved:
    """Paths below the old home, wherever they stand in a text, led below the new one."""

    def __init__(self, old: str, new: str) -> None:
        quoted = [json.dumps(path, ensure_ascii=False)[1:-1].encode() for path in (old.rstrip("/"), new.rstrip("/"))]
        self._same = quoted[0] == quoted[1]
        self._new = quoted[1]
        # A path begins where no other goes on: /srv/data is not below /data.
        self._pattern = re.compile(rb"(?<![\w./-])" + re.escape(quoted[0]) + rb"(?=/)")

    def text(self, data: bytes) -> bytes:
        return data if self._same else self._pattern.sub(lambda _: self._new, data)

    def row(self, row: Row) -> Row:
        return row if row.data is None else row._replace(data=at_rest(row.key.kind, self.text(row.data)))


def missing(programs: Iterable[bytes]) -> dict[str, str]:
    """Image names whose source or environment is not on this machine, with that folder."""
    found = {}
    for text in programs:
        try:
            told = json.loads(text)
            away = [folder for folder in (told["root"], *told["path"]) if not Path(folder).exists()]
            if away:
                found[str(told["reference"])] = str(away[0])
        except (ValueError, LookupError, TypeError):
            continue
    return found


def at_rest(kind: str, data: bytes) -> bytes:
    if kind == "pods":
        return orjson.dumps(pod_at_rest(orjson.loads(data)))
    if kind in ("deployments.apps", "replicasets.apps"):
        obj: Obj = orjson.loads(data)
        status = {key: value for key, value in (obj.get("status") or {}).items() if key not in COUNTS}
        return orjson.dumps({**obj, "status": status} if "status" in obj else obj)
    return data


def pod_at_rest(pod: Obj) -> Obj:
    """One that had ended stays as it was."""
    status = pod.get("status") or {}
    if ended(pod) or not status:
        return pod
    conditions = [{**c, "status": "False"} if c["type"] in READY else c for c in status.get("conditions") or ()]
    containers = [{**c, "ready": False} for c in status.get("containerStatuses") or ()]
    changed = {"conditions": conditions, "containerStatuses": containers}
    return {**pod, "status": {**status, **{key: value for key, value in changed.items() if value}}}
