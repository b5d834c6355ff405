"""Whose ids a build has, and what a program's mounts are where it is root among its own alone."""

import os
from pathlib import Path
from typing import Any

import pytest

from madang.node.building.bundle import Stand, mounts
from madang.node.building.inside import maps
from madang.node.building.overlay import held
from madang.porch import lent, namespaces

MACHINE, LENT, ALONE = "0 0 4294967295\n", "0 1000 1\n1 100000 65535\n", "         0      65534          1\n"


def test_maps() -> None:
    assert [held(text) for text in (MACHINE, LENT, ALONE, "")] == [2**32 - 1, 65536, 1, 0]
    assert maps(LENT, 5) and maps(LENT, 65535) and not maps(LENT, 65536) and not maps(ALONE, 5)


def at(found: list[dict[str, Any]], place: str) -> dict[str, Any]:
    (one,) = [m for m in found if m["destination"] == place]
    return one


@pytest.mark.parametrize(
    ("stand", "network", "kind"),
    [(Stand(), True, "sysfs"), (Stand(apart=True), True, "bind"), (Stand(apart=True), False, "sysfs")],
)
def test_sys_of_a_network_that_is_not_ours_is_shown_not_made(stand: Stand, network: bool, kind: str) -> None:
    found = at(mounts((), stand, network), "/sys")
    assert found["type"] == kind and "ro" in found["options"]


def test_terminals_belong_to_their_group_where_there_is_one() -> None:
    assert "gid=5" in at(mounts(()), "/dev/pts")["options"]
    assert "gid=5" not in at(mounts((), Stand(terminals=False)), "/dev/pts")["options"]


def test_what_belongs_to_lent_ids_is_removed_where_namespaces_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    try:
        for fd in namespaces.make():
            os.close(fd)
    except OSError as error:
        pytest.skip(f"user namespaces are refused here: {error}")
    assert lent.remove(tmp_path / "folder") and not (tmp_path / "folder").exists()
