"""Mounts without private mounts: what is honoured by a link, what is refused and with which words."""

from pathlib import Path

import pytest

from madang.node.runtimes import places
from madang.node.runtimes.runtime import Mount
from tests.node.runtimes.launching import MakeLaunch


def test_what_the_house_adds_is_left_out(launch: MakeLaunch, tmp_path: Path) -> None:
    wanted = launch("true", mounts=[Mount(tmp_path, target) for target in places.ADDED_BY_THE_HOUSE])
    assert places.refusal(wanted) == ""
    before = sorted(Path(wanted.cwd).iterdir())
    places.link(wanted)
    assert sorted(Path(wanted.cwd).iterdir()) == before


@pytest.mark.parametrize("target", ["/data", "/etc/passwd", "{cwd}", "{cwd}/../beside"])
def test_outside_the_pods_folder(launch: MakeLaunch, tmp_path: Path, target: str) -> None:
    cwd = launch().cwd
    place = target.format(cwd=cwd)
    assert places.refusal(launch("true", mounts=[Mount(tmp_path, place)])).startswith(
        f"mountPath {place} lies outside the pod's folder {cwd}, and this machine allows no private mounts: "
    )


def test_no_memory_file_system(launch: MakeLaunch) -> None:
    cwd = launch().cwd
    told = places.refusal(launch("true", mounts=[Mount(Path(), f"{cwd}/tmp", tmpfs=True)]))
    assert told.startswith(f"{cwd}/tmp should be a memory file system, and this machine allows no private mounts here")


def test_what_lies_there_is_never_covered_or_removed(launch: MakeLaunch, tmp_path: Path) -> None:
    cwd = Path(launch().cwd)
    (cwd / "data").mkdir()
    (cwd / "data" / "precious").touch()
    told = places.refusal(launch("true", mounts=[Mount(tmp_path, f"{cwd}/data")]))
    assert told == f"mountPath {cwd}/data exists already and this machine allows no private mounts to cover it"


def test_links(launch: MakeLaunch, tmp_path: Path) -> None:
    cwd = Path(launch().cwd)
    (cwd / "empty").mkdir()
    (cwd / "older").symlink_to("/nowhere")
    targets = ["empty", "older", "deep/er"]
    wanted = launch("true", mounts=[Mount(tmp_path / "volume", f"{cwd}/{target}") for target in targets])
    assert places.refusal(wanted) == ""
    for _ in range(2):  # a restart finds its own links
        places.link(wanted)
        assert [(cwd / target).readlink() for target in targets] == [tmp_path / "volume"] * 3
