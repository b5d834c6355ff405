"""Launches on a machine without private mounts: what refers to a mount finds it, what is not referred to stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from madang.node.launch.relocation import relocate
from madang.node.runtimes.runtime import Launch, Mount

APP, DATA, CONF = (
    Mount(Path("/home/u/cart"), "/app"),
    Mount(Path("/state/data"), "/data"),
    Mount(Path("/s/c"), "/etc/c"),
)


def launch(*mounts: Mount, **env: str) -> Launch:
    return Launch(
        "i", Path("/f"), ["python", "/app/run.py"], {"PATH": "/app/bin", **env}, "/app", Path("/l"), mounts=mounts
    )


def test_program_and_volume_become_real_paths() -> None:
    found = relocate(launch(DATA, DATA_DIR="/data", PYTHONPATH="/app/src"), [APP], {"PATH"})
    assert found.launch.argv == ["python", "/home/u/cart/run.py"]
    assert found.launch.cwd == "/home/u/cart"
    assert found.launch.env == {"PATH": "/app/bin", "DATA_DIR": "/state/data", "PYTHONPATH": "/home/u/cart/src"}
    assert found.launch.mounts == ()
    assert found.message == "this machine allows no private mounts: /data is the folder that DATA_DIR names"


def test_what_nothing_refers_to_stays_to_be_refused() -> None:
    found = relocate(launch(DATA, CONF, DB="sqlite:////data/x.db"), [APP], {"PATH"})
    assert found.launch.mounts == (CONF,)
    assert found.launch.env["DB"] == "sqlite:////state/data/x.db"


@pytest.mark.parametrize("value", ["/srv/data", "http://host/data", "/database", "data", "/data-2"])
def test_other_paths_are_left_alone(value: str) -> None:
    assert relocate(launch(DATA, X=value), [], ()).launch.env["X"] == value


def test_several_paths_in_one_value() -> None:
    found = relocate(launch(DATA, X="/app/lib:/data/lib"), [APP], ())
    assert found.launch.env["X"] == "/home/u/cart/lib:/state/data/lib"


def test_the_deepest_mount_wins() -> None:
    deep = Mount(Path("/state/d"), "/app/data")
    found = relocate(launch(deep, X="/app/data/f"), [APP], ())
    assert found.launch.env["X"] == "/state/d/f"
    assert found.launch.mounts == ()


def test_the_machines_own_places_are_left_alone() -> None:
    tmp, own = Mount(Path("/house/pods/u/tmp"), "/tmp"), "/tmp/house/pods/u"
    found = relocate(replace(launch(tmp, X="/tmp/x", Y=f"{own}/x"), cwd=own), [], (), [Path(own), Path("/")])
    assert found.launch.cwd == own
    assert found.launch.env["X"] == "/house/pods/u/tmp/x"
    assert found.launch.env["Y"] == f"{own}/x"


def test_a_volume_within_such_a_place_is_found() -> None:
    deep = Mount(Path("/state/d"), "/home/u/cart/data")
    found = relocate(launch(deep, X="/home/u/cart/data/f"), [], (), [Path("/home/u/cart")])
    assert found.launch.env["X"] == "/state/d/f"


def test_what_the_house_adds_is_found_and_waited_for_by_nobody() -> None:
    said = Mount(Path("/pods/u/0.termination-log"), "/dev/termination-log")
    named = replace(launch(), argv=["sh", "-c", "echo why >/dev/termination-log"])
    found = relocate(named, [said], ())
    assert found.launch.argv[-1] == "echo why >/pods/u/0.termination-log"
    assert found.moved == {}
    assert relocate(launch(), [said], ()).launch.mounts == ()


def test_a_command_is_rewritten_as_the_program_was() -> None:
    found = relocate(launch(DATA, X="/data"), [APP], ())
    assert found.places.command(["ls", "/data/ok", "/etc"]) == ["ls", "/state/data/ok", "/etc"]
    assert relocate(launch(), [], ()).places.command(["ls", "/data"]) == ["ls", "/data"]
