"""Admission: what a write needs of *other* objects, and what it is given because of them.

In: the desk, who asks, the new (and old) object. Out: the object changed in place, warnings, and grants: addresses and
ports that are held for this write until it is visible or has failed. A refusal is a `StatusError`.
"""

from madang.api.admit import namespaces, pods, services, storage
from madang.api.admit.grants import Grants
from madang.api.desk import Desk
from madang.kinds import admission
from madang.kinds.kind import Kind
from madang.ports.api import User
from madang.ports.objects import Obj


def admit_create(desk: Desk, user: User, row: Kind, obj: Obj, *, dry_run: bool = False) -> tuple[Grants, list[str]]:
    namespaces.admit(desk, row, obj)
    grants = Grants(desk, dry_run)
    warnings: list[str] = []
    if row.id == "pods":
        pods.admit(desk, obj)
    elif row.id == "services":
        services.admit(desk, grants, obj, None)
    elif row.id in storage.KINDS:
        storage.admit(desk, row, obj)
    elif row.id == "nodes":
        obj.setdefault("spec", {})
        admission.node_taint(obj)
    return grants, warnings


def admit_update(desk: Desk, user: User, row: Kind, new: Obj, old: Obj, subresource: str) -> tuple[Grants, list[str]]:
    grants = Grants(desk)
    if subresource:
        return grants, []
    if row.id == "services":
        services.admit(desk, grants, new, old)
    elif row.id == "pods":
        pods.keep(new, old)
    elif row.id == "persistentvolumeclaims":
        storage.admit_update(desk, row, new, old)
    return grants, []
