"""Breaking a node is a word on its Node, said once and taken back once; what is no node is refused."""

import asyncio

import pytest

from madang.everyday import nodes
from madang.ports.errors import NotFound
from madang.ports.settings import BROKEN
from tests.api.house import house


def test_broken_and_mended() -> None:
    async def story() -> None:
        async with house() as api:
            await api.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}})
            assert await nodes.names(api) == ["node-2"]
            assert await nodes.break_node(api, "node-2", "hang")
            assert not await nodes.break_node(api, "node-2", "hang")
            node = api.view.get("nodes", "", "node-2")
            assert node is not None and node["metadata"]["annotations"][BROKEN] == "hang"
            assert await nodes.mend_node(api, "node-2") and not await nodes.mend_node(api, "node-2")
            node = api.view.get("nodes", "", "node-2")
            assert node is not None and BROKEN not in (node["metadata"].get("annotations") or {})
            with pytest.raises(NotFound):
                await nodes.break_node(api, "node-9", "kill")

    asyncio.run(story())
