"""An image in the store and a pod become a launch: names resolved, files of the image read, the rest refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from madang.node.containers.containers import Containers, devices
from madang.node.containers.security import Denied
from madang.node.images.images import NotHere
from madang.node.images.layout import Layout
from madang.node.images.store import Store
from madang.node.runtimes.oci.machine import Machine
from madang.ports.objects import Obj
from madang.ports.program import Program
from tests.node.containers.made import launch, pod, role
from tests.node.images.made import put, tar


@pytest.fixture
def known(tmp_path: Path) -> Containers:
    layout = Layout(tmp_path / "images")
    run: dict[str, Any] = {
        "Entrypoint": ["serve"],
        "Cmd": ["--all"],
        "Env": ["A=b"],
        "User": "web",
        "StopSignal": "SIGINT",
    }
    digest = put(layout, "docker.io/library/tiny:1", [tar()], **run)
    store = Store(tmp_path / "images")
    image = store.find(digest)
    assert image is not None
    passwd = image.layers[0].folder / "etc" / "passwd"
    passwd.parent.mkdir(parents=True)
    passwd.write_text("web:x:33:44::/:/bin/sh\n")
    return Containers(store, Machine())


def tiny(**container: Any) -> Obj:
    return pod({"image": "tiny:1", **container})


def test_an_image_says_what_it_wants_to_run(known: Containers) -> None:
    found = known.resolve("tiny:1", "IfNotPresent")
    assert isinstance(found, Program)
    assert found.argv() == ("serve", "--all")
    assert found.argv(args=("--one",)) == ("serve", "--one")
    assert found.argv(command=("sh",)) == ("sh",)
    assert (found.cwd, found.env, found.stop_signal) == ("/", {"A": "b"}, "SIGINT")


def test_what_is_not_here_is_said_with_the_way_out(known: Containers) -> None:
    for reference, policy, reason in (
        ("other", "IfNotPresent", "ErrImagePull"),
        ("other", "Never", "ErrImageNeverPull"),
        ("No Name", "", "InvalidImageName"),
    ):
        found = known.resolve(reference, policy)
        assert isinstance(found, NotHere)
        assert found.reason == reason
    assert "madang image load" in str(known.resolve("other", ""))


def test_the_launch_gets_the_layers_and_the_document(known: Containers) -> None:
    of = tiny()
    made = known.contained(of, role(of), launch(), "p_default(u-1)").container
    assert made is not None
    assert len(made.layers) == 1
    assert made.config["process"]["user"] == {"uid": 33, "gid": 44, "additionalGids": [44]}


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (pod({"image": "other"}), 'image "other" was removed'),
        (tiny(securityContext={"runAsNonRoot": True}), r"non-numeric user \(web\)"),
        (tiny(securityContext={"procMount": "Default", "capabilities": {"add": ["FLY"]}}), "CAP_FLY"),
    ],
)
def test_what_cannot_be_had(known: Containers, of: Obj, text: str) -> None:
    with pytest.raises(Denied, match=text):
        known.contained(of, role(of), replace(launch(), id="x"), "p")


def test_an_image_is_held_while_its_pod_is_there(known: Containers, tmp_path: Path) -> None:
    store = Store(tmp_path / "images")
    image = store.find("tiny:1")
    assert image is not None
    known.hold("tiny:1", "u-1")
    known.hold("tiny:1", "u-2")
    known.hold("other", "u-3")
    assert store.holders(image.digest) == ["u-1", "u-2"]
    known.release_all_but(["u-2"])
    assert store.holders(image.digest) == ["u-2"]


def test_devices_are_real_ones() -> None:
    found = list(devices())
    assert all(device.kind in "cb" for device in found)
    assert "/dev/null" not in {device.path for device in found}
