"""What the tests of this room need of the machine: root, who alone gives files to others and mounts layers."""

import os

import pytest


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files to others")
