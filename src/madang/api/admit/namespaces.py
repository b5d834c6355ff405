"""NamespaceLifecycle: nothing is made in a namespace that is not there, or that goes."""

from madang.api import errors
from madang.api.desk import Desk
from madang.kinds.kind import Kind
from madang.ports.errors import Forbidden, NotFound
from madang.ports.objects import Key, Obj

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def admit(desk: Desk, row: Kind, obj: Obj) -> None:
    if not row.namespaced:
        return
    namespace = obj["metadata"]["namespace"]
    entry = desk.store.newest(Key("namespaces", "", namespace))
    if entry is None:
        raise NotFound(f'namespaces "{namespace}" not found', details={"name": namespace, "kind": "namespaces"})
    if entry.revision in desk.living:
        return
    if entry.obj["metadata"].get("deletionTimestamp"):
        raise _terminating(row, obj, namespace)
    desk.living.clear() if len(desk.living) > 1000 else None
    desk.living.add(entry.revision)


def _terminating(row: Kind, obj: Obj, namespace: str) -> Forbidden:
    name = obj["metadata"].get("name", "")
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    return errors.forbidden(row, name, why, causes=[cause])


def refuse_delete(name: str) -> None:
    if name in IMMORTAL:
        raise Forbidden(
            f'namespaces "{name}" is forbidden: this namespace may not be deleted',
            details={"name": name, "kind": "namespaces"},
        )
