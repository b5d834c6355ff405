"""What hangs under an object and is not its status: scale, binding, eviction, token, finalize.

In: the verb's own arguments. Out: outcomes. A subresource that the kind's row does not name is the API's 404, a verb
that it does not have the API's 405.
"""

from madang.api import errors
from madang.api.desk import Desk, Outcome
from madang.api.patch import patched
from madang.api.resources import Aim, Resource, posted
from madang.api.subresources import binding, eviction, finalize, scale, token
from madang.ports.api import PatchType, User, WriteOptions
from madang.ports.objects import Entry, Obj


def read(resource: Resource, entry: Entry, subresource: str) -> Obj:
    if subresource == "scale" and has(resource, "scale"):
        return scale.read(entry)
    if subresource == "ephemeralcontainers" and has(resource, subresource):
        return entry.obj
    raise errors.no_method() if has(resource, subresource) else errors.no_resource()


async def post(desk: Desk, aim: Aim, body: bytes | Obj, options: WriteOptions) -> Outcome:
    resource, namespace, name, subresource = aim
    if not has(resource, subresource):
        raise errors.no_resource()
    if subresource == "binding":
        return await binding.bind(desk, namespace, name, body, options)
    if subresource == "eviction":
        return await eviction.evict(desk, resource, namespace, name, body, options)
    if subresource == "token":
        return token.issue(desk, resource, namespace, name, body, options)
    raise errors.no_method()


async def put(desk: Desk, user: User, aim: Aim, body: bytes | Obj, options: WriteOptions) -> Outcome:
    resource, namespace, name, subresource = aim
    if not has(resource, subresource):
        raise errors.no_resource()
    if subresource == "scale":
        return await scale.put(desk, user, resource, namespace, name, body, options)
    if subresource == "finalize":
        return await finalize.put(desk, resource, name, body, options)
    raise errors.no_method()


async def patch(desk: Desk, user: User, aim: Aim, body: object, style: PatchType, options: WriteOptions) -> Outcome:
    resource, namespace, name, subresource = aim
    if not has(resource, subresource):
        raise errors.no_resource()
    if subresource != "scale":
        raise errors.no_method()
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    wanted = patched(posted(scale.ROW), scale.read(entry), body, "merge" if style == "apply" else style)
    return await scale.put(desk, user, resource, namespace, name, wanted, options)


def has(resource: Resource, subresource: str) -> bool:
    return any(sub.name == subresource for sub in resource.row.subresources)
