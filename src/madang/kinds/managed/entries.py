"""The list that `metadata.managedFields` is: one entry a manager, operation, version and subresource.

In: entries as stored. Out: `Managers`, a dict by identity, and back again in the API's order. At most ten managers
of updates are kept one by one; the eldest are merged into `ancient-changes`, as the server does.
"""

from typing import Any, NamedTuple

from madang.kinds.managed.sets import Set, join
from madang.ports.objects import Obj

MAX_UPDATE_MANAGERS = 10
ANCIENT = "ancient-changes"


class Identity(NamedTuple):
    manager: str
    operation: str  # Apply or Update
    api_version: str
    subresource: str = ""


class Owned(NamedTuple):
    fields: Set
    time: str = ""


Managers = dict[Identity, Owned]


def read(obj: Obj | None) -> Managers:
    """What cannot be read counts as nothing, as with the server."""
    out: Managers = {}
    for entry in ((obj or {}).get("metadata") or {}).get("managedFields") or ():
        try:
            fields = entry.get("fieldsV1")
            if entry.get("operation") not in ("Apply", "Update") or not isinstance(fields, dict) or not fields:
                continue
            identity = Identity(
                entry.get("manager", ""), entry["operation"], entry.get("apiVersion", ""), entry.get("subresource", "")
            )
            out[identity] = Owned(fields, entry.get("time") or "")
        except (AttributeError, KeyError, TypeError):
            return {}
    return out


def write(managers: Managers) -> list[Obj]:
    ordered = sorted(managers.items(), key=_order)
    return [_entry(identity, owned) for identity, owned in ordered if owned.fields]


def _order(item: tuple[Identity, Owned]) -> tuple[Any, ...]:
    identity, owned = item
    # The server looks at whole seconds only; so do we.
    return (identity.operation, owned.time[:19], identity.manager, identity.api_version, identity.subresource)


def _entry(identity: Identity, owned: Owned) -> Obj:
    entry: Obj = {
        "manager": identity.manager,
        "operation": identity.operation,
        "apiVersion": identity.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned.fields,
    }
    if owned.time:
        entry["time"] = owned.time
    if identity.subresource:
        entry["subresource"] = identity.subresource
    return entry


def capped(managers: Managers) -> Managers:
    """Merges the eldest updates of one version once there are more than ten."""
    updates = [(i, o) for i, o in managers.items() if i.operation == "Update" and not i.subresource]
    if len(updates) <= MAX_UPDATE_MANAGERS:
        return managers
    updates.sort(key=_order)
    out = dict(managers)
    # Those that stay one by one, less one place for each version's `ancient-changes`.
    excess = len(updates) - MAX_UPDATE_MANAGERS + 1
    for identity, owned in updates[:excess]:
        if identity.manager == ANCIENT:
            continue
        del out[identity]
        into = Identity(ANCIENT, "Update", identity.api_version)
        before = out.get(into, Owned({}))
        out[into] = Owned(join(before.fields, owned.fields), max(before.time, owned.time))
    return out


def equal_but_times(new: Obj, old: Obj) -> bool:
    """Whether a write changes nothing but when somebody last owned something: such a write is none. (An applied
    `1000m` differs from the stored `1` until both are decoded.)"""
    if new.keys() != old.keys() or any(new[k] != old[k] for k in new if k != "metadata"):
        return False
    left, right = new["metadata"], old["metadata"]
    if left == right:
        return True
    names = (left.keys() | right.keys()) - {"managedFields"}
    return all(left.get(n) == right.get(n) for n in names) and _timeless(left) == _timeless(right)


def _timeless(meta: Obj) -> list[Any]:
    rows = [{k: v for k, v in entry.items() if k != "time"} for entry in meta.get("managedFields") or ()]
    # Their order follows their times.
    return sorted(rows, key=lambda r: (r.get("operation", ""), r.get("manager", ""), r.get("subresource", "")))
