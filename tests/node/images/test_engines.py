"""Images of Docker, from an engine that is none; and when nobody is asked."""

import asyncio
from pathlib import Path

import pytest

from madang.node.images import engines
from madang.node.images.layout import Layout
from madang.node.images.reference import parse
from madang.node.images.registry.bring import bring
from madang.node.images.registry.pull import PullError
from tests.node.images.engine import Engine, docker
from tests.node.images.made import image_blobs, member, oci_archive, tar

IMAGE, BLOBS = image_blobs([tar(member("a", b"x"))])
CART = "docker.io/shop/cart:1"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(CART, oci_archive(tmp_path / "a.tar", (CART, IMAGE, BLOBS)).read_bytes())


def test_what_docker_has_is_taken(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path / "images")
    monkeypatch.setenv("HOME", str(tmp_path))
    with docker(tmp_path / "d.sock", engine) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        found = asyncio.run(bring(layout.home, "shop/cart:1"))
        assert (found.origin, found.by_engine, found.image.refs) == ("Docker", True, (CART,))
        assert engines.may_have() and engines.has(parse("shop/cart:1")) and not engines.has(parse("other"))
        engine.cut = True
        assert engines.taken(parse("shop/cart:1"), tmp_path / "half") == ""
        monkeypatch.setattr(engine, "name", "")
        with pytest.raises(PullError, match="localhost:1: Connection refused"):
            asyncio.run(bring(layout.home, "localhost:1/other"))
    assert not list(layout.work.iterdir())


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:2375", "unix:///nowhere/docker.sock"])
def test_an_engine_elsewhere_is_none_of_ours(tmp_path: Path, host: str) -> None:
    assert engines.docker_socket({"DOCKER_HOST": host}) == ""
    assert engines.taken(parse("x"), tmp_path / "a", {"DOCKER_HOST": host, "PATH": "", "HOME": str(tmp_path)}) == ""


def test_a_socket_that_nobody_serves_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "d.sock").touch()
    environment = {"DOCKER_HOST": f"unix://{tmp_path}/d.sock", "PATH": "", "HOME": str(tmp_path)}
    assert engines.docker_socket(environment) == "" and not engines.has(parse("x"), environment)


def test_podman_is_not_asked_where_its_list_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    environment = {"HOME": str(tmp_path), "DOCKER_HOST": "unix:///nowhere"}
    kept = tmp_path / ".local/share/containers/storage/overlay-images/images.json"
    kept.parent.mkdir(parents=True)
    said = []
    for text in ("", "[]", '[{"id": "1"}]'):
        kept.write_text(text)
        said.append(engines.may_have(environment))
    assert said == [False, False, True] or Path("/etc/containers/storage.conf").exists()
