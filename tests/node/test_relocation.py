"""Launches on a machine without private mounts: what refers to a mount finds it, what is not referred to stays."""

from pathlib import Path

import pytest

from madang.node.relocation import relocate
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
