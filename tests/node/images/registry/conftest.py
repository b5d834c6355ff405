"""A registry and an empty store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.node.images.layout import Layout
from tests.node.images.registry.fake import Registry, serving


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        yield found


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "images")
