"""Breaks whole nodes on purpose, and mends them: a word on the Node that its agent obeys.

In: the API, a node's name. Out: whether anything had to be changed. Names that are no node's raise NotFound.
"""

from madang.ports.api import Api
from madang.ports.settings import BROKEN

WAYS = ("kill", "hang")


async def break_node(api: Api, node: str, how: str) -> bool:
    return await _say(api, node, how)


async def mend_node(api: Api, node: str) -> bool:
    return await _say(api, node, None)


async def names(api: Api) -> list[str]:
    return sorted(e.obj["metadata"]["name"] for e in (await api.list("nodes")).entries)


async def _say(api: Api, node: str, how: str | None) -> bool:
    found = await api.get("nodes", "", node)
    if (found["metadata"].get("annotations") or {}).get(BROKEN) == how:
        return False
    await api.patch("nodes", "", node, {"metadata": {"annotations": {BROKEN: how}}})
    return True
