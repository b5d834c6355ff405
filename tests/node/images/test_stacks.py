"""Stacks of layers, read beside the loop and only when asked."""

import asyncio
from pathlib import Path

from madang.node.images.layout import Layout
from madang.node.images.stacks import StoredStacks
from tests.node.images.made import put, sha256, tar


def test_grouped_as_history_and_read_again_when_the_index_is_another(tmp_path: Path) -> None:
    stacks = StoredStacks(tmp_path / "images")
    assert not (tmp_path / "images").exists(), "nothing is touched before somebody asks"
    assert asyncio.run(stacks.stacks()) == ()
    layout = Layout(tmp_path / "images")
    digest = put(layout, "docker.io/library/redis:7", [tar()])
    (found,) = first = asyncio.run(stacks.stacks())
    assert (found.digest, found.names) == (digest, ("redis:7",))
    assert [(one.diff_id, one.group, one.step) for one in found.layers] == [(sha256(tar()), "base", "step 0")]
    assert asyncio.run(stacks.stacks()) is first
    put(layout, "docker.io/library/other:1", [tar()], User="x")
    assert len(asyncio.run(stacks.stacks())) == 2
