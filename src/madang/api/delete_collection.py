"""DELETE of a collection: every object of a selection, each as if by itself. The answer is the list of them."""

from madang.api import lists
from madang.api.delete import remove
from madang.api.desk import Desk, Outcome
from madang.api.resources import Resource
from madang.ports.api import DeleteOptions, ListOptions, User
from madang.ports.objects import Obj


async def delete_collection(
    desk: Desk, user: User, resource: Resource, namespace: str, chosen: ListOptions, options: DeleteOptions
) -> Outcome:
    page = lists.page(desk, resource, namespace or None, chosen)
    items: list[Obj] = []
    for shown in page.entries:
        entry = desk.store.newest(shown.key)
        if entry is None:
            continue
        await remove(desk, resource, entry, options)
        obj = resource.served(shown.obj)
        items.append({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")})
    return Outcome(
        obj={
            "kind": f"{resource.row.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": page.revision},
            "items": items,
        }
    )
