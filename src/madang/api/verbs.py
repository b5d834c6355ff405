"""POST, PUT and PATCH as every door asks for them: what hangs under an object goes its own way, all else the usual one.

In: an aim, a body (bytes, or an object from inside the house), options. Out: an outcome.
"""

from collections.abc import Mapping, Sequence

from madang.api import create as creating
from madang.api import patch as patching
from madang.api import subresources
from madang.api import update as updating
from madang.api.desk import Desk, Outcome
from madang.api.resources import Aim
from madang.ports.api import PatchType, User, WriteOptions
from madang.ports.objects import Obj


async def post(desk: Desk, user: User, aim: Aim, body: bytes | Obj, options: WriteOptions) -> Outcome:
    if aim.subresource:
        return await subresources.post(desk, aim, body, options)
    return await creating.create(desk, user, aim.resource, aim.namespace, body, options)


async def put(desk: Desk, user: User, aim: Aim, body: bytes | Obj, options: WriteOptions) -> Outcome:
    verb = subresources.put if aim.aside else updating.update
    return await verb(desk, user, aim, body, options)


async def patch(
    desk: Desk,
    user: User,
    aim: Aim,
    body: bytes | Obj | Sequence[Mapping[str, object]],
    style: PatchType,
    options: WriteOptions,
) -> Outcome:
    verb = subresources.patch if aim.aside else patching.patch
    return await verb(desk, user, aim, body, style, options)
