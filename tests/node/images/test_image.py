"""Manifests and configurations as values."""

from typing import Any

import pytest

from madang.node.images.image import (
    LAYERS,
    Healthcheck,
    diff_ids,
    image_config,
    made_by,
    manifest_parts,
    platform,
    steps,
)

D = "sha256:" + "a" * 64


def test_configuration() -> None:
    run = {
        "Entrypoint": ["/run"], "Cmd": None, "Env": ["A=1=2", "B"], "User": "1:2", "WorkingDir": "/w",
        "StopSignal": "SIGQUIT", "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "Labels": {"k": "v"},
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5, "Retries": 3},
    }  # fmt: skip
    found = image_config({"config": run})
    assert (found.entrypoint, found.cmd, found.env) == (("/run",), (), (("A", "1=2"), ("B", "")))
    assert (found.user, found.workdir, found.stop_signal) == ("1:2", "/w", "SIGQUIT")
    assert (found.exposed_ports, found.volumes, found.labels) == (("80/tcp",), ("/data",), {"k": "v"})
    assert found.healthcheck == Healthcheck(("CMD", "true"), interval_ns=5, retries=3)
    assert image_config({}).healthcheck is None
    assert platform({"os": "linux", "architecture": "arm", "variant": "v7"}) == "linux/arm/v7"


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ([], "configuration.config: expected an object"),
        ({"Cmd": "sh"}, "configuration.config.Cmd: expected a list of strings, found 'sh'"),
        ({"Env": [1]}, "Env"),
        ({"Volumes": ["/x"]}, "configuration.config.Volumes: expected an object"),
    ],
)
def test_refused_configuration(run: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        image_config({"config": run or [1]})


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ([], "manifest.layers"),
        ({"layers": []}, r"manifest.config.digest: expected .* found None"),
        ({"config": {"digest": D, "size": 1}, "layers": [{"digest": "md5:1", "size": 1}]}, r"layers\[0\].digest"),
        ({"config": {"digest": D, "size": -1}, "layers": []}, "manifest.config.size"),
        ({"config": {"digest": D, "size": True}, "layers": []}, "manifest.config.size"),
        ({"config": {"digest": D, "size": 1}, "layers": [{}] * (LAYERS + 1)}, "at most"),
    ],
)
def test_refused_manifest(manifest: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        manifest_parts(manifest)


def test_layers_and_their_steps() -> None:
    history = steps({"history": [{"created_by": "ADD"}, {"created_by": "ENV", "empty_layer": True}, {}]})
    assert made_by(history, 2) == ("ADD", "")
    assert made_by(history, 3) == ("", "", "")  # the history tells of another image
    with pytest.raises(ValueError, match="diff_ids"):
        diff_ids({"rootfs": {"diff_ids": ["x"]}})
