"""The table of walls: the first that works, and every refusal told."""

import asyncio

import pytest

from madang.node.runtimes import confinement
from madang.node.runtimes.monitor.request import Confinement


def found(allowed: set[str]) -> confinement.Found:
    names = {tuple(walls.confinement.values()): walls.name for walls in confinement.WAYS}

    async def attempt(wanted: Confinement) -> str:
        return "" if names[tuple(wanted.values())] in allowed else "[Errno 1] unshare: Operation not permitted"

    return asyncio.run(confinement.find(attempt))


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ({"namespaces", "user namespace"}, "namespaces"),
        ({"mount namespace", "user namespace"}, "mount namespace"),
        ({"user namespace"}, "user namespace"),
        ({"user and mount namespace"}, "user and mount namespace"),
        (set(), "none"),
    ],
)
def test_the_first_that_works(allowed: set[str], name: str) -> None:
    assert found(allowed).walls.name == name


def test_refusals_are_told_in_order() -> None:
    refusals = found({"user namespace"}).why_not
    assert refusals == (
        "namespaces: [Errno 1] unshare: Operation not permitted; "
        "mount namespace: [Errno 1] unshare: Operation not permitted"
    )
