"""Pull and push against Debian's docker-registry, with skopeo as the other who comes there."""

import asyncio
import base64
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from madang.node.images.layout import Layout
from madang.node.images.load import load
from madang.node.images.naming import entry_of, give
from madang.node.images.registry.bring import bring
from madang.node.images.registry.pull import PullError, pull
from madang.node.images.registry.push import push
from madang.node.images.store import Store
from tests.e2e.base_image import needs
from tests.node.images.made import image_blobs, member, oci_archive, tar

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
HTPASSWD = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"  # me:secret
LAYERS = [tar(member("a", b"lower" * 50_000)), tar(member("b", b"upper"))]
IMAGE, BLOBS = image_blobs(LAYERS)
Make = Callable[..., str]


@contextmanager
def running(folder: Path, port: int, auth: str) -> Iterator[str]:
    config = folder / "config.yml"
    folder.mkdir()
    config.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n{auth}"
    )
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log)
    try:
        until = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        assert process.poll() is None, (folder / "log").read_text()
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Make]:
    needs("docker-registry")
    with contextlib.ExitStack() as all_of_them:

        def make(auth: str = "") -> str:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            return all_of_them.enter_context(running(tmp_path / f"registry-{port}", port, auth))

        yield make


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("MADANG_MIRRORS", raising=False)


def loaded(tmp_path: Path, *names: str) -> Layout:
    layout = Layout(tmp_path / "ours")
    asyncio.run(load(layout.home, oci_archive(tmp_path / "a.tar", (names[0], IMAGE, BLOBS))))
    with layout.changing() as entries:
        give(entries, entry_of(entries, IMAGE), names)
    return layout


def skopeo(*words: str) -> str:
    done = subprocess.run(["skopeo", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_and_back(tmp_path: Path, registry: Make) -> None:
    host = registry()
    base, cart = f"{host}/shop/base:1", f"{host}/shop/cart:1"
    ours = loaded(tmp_path, base, cart)
    for name in (base, cart):  # the second time every layer is mounted
        assert asyncio.run(push(ours.home, name)) == IMAGE
    for name in (cart, f"{host}/shop/cart@{IMAGE}"):
        image = asyncio.run(pull(tmp_path / f"theirs-{len(name)}", name))
        assert image.digest == IMAGE and image.refs == (name,)
        assert (image.layers[1].folder / "b").read_text() == "upper"
    with pytest.raises(PullError, match="404 MANIFEST_UNKNOWN"):
        asyncio.run(pull(tmp_path / "theirs", f"{host}/shop/cart:2"))


def test_with_a_password(tmp_path: Path, registry: Make) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    host = registry(f"auth: {{htpasswd: {{realm: us, path: {tmp_path}/htpasswd}}}}\n")
    ref = f"{host}/cart:1"
    ours = loaded(tmp_path, ref)
    with pytest.raises(PullError, match="401"):
        asyncio.run(pull(tmp_path / "theirs", ref))
    auth = base64.b64encode(b"me:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    assert asyncio.run(push(ours.home, ref)) == IMAGE
    assert asyncio.run(pull(tmp_path / "theirs", ref)).digest == IMAGE


@pytest.mark.parametrize("form", [("--format", "v2s2"), ("--format", "oci", "--dest-compress-format", "zstd")])
def test_what_skopeo_brought_there(tmp_path: Path, registry: Make, form: tuple[str, ...]) -> None:
    needs("skopeo")
    ref = f"{registry()}/cart:1"
    oci_archive(tmp_path / "a.tar", ("x:1", IMAGE, BLOBS))
    forced = ("--dest-force-compress-format",) if "zstd" in form and "force" in skopeo("copy", "--help") else ()
    skopeo("copy", "-q", "--dest-tls-verify=false", *form, *forced, f"oci-archive:{tmp_path}/a.tar", f"docker://{ref}")
    image = asyncio.run(pull(tmp_path / "ours", ref))
    assert (image.layers[0].folder / "a").read_bytes() == b"lower" * 50_000
    said = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{ref}"))
    assert said["Digest"] == image.digest and said["Layers"] == [layer.digest for layer in image.layers]


def test_skopeo_reads_what_we_brought_there(tmp_path: Path, registry: Make) -> None:
    needs("skopeo")
    ref = f"{registry()}/cart:1"
    asyncio.run(push(loaded(tmp_path, ref).home, ref))
    skopeo("copy", "-q", "--src-tls-verify=false", f"docker://{ref}", f"oci:{tmp_path}/layout:x")
    blobs = {f"sha256:{f.name}" for f in (tmp_path / "layout/blobs/sha256").iterdir()}
    assert blobs == set(BLOBS) and Store(tmp_path / "ours").find(ref) is not None


def test_what_podman_has_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("podman")
    kept = tmp_path / "storage.conf"
    kept.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(kept))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    oci_archive(tmp_path / "a.tar", ("localhost/mine:1", IMAGE, BLOBS))
    load_it = ["podman", "load", "-q", "-i", tmp_path / "a.tar"]
    made = subprocess.run(load_it, capture_output=True, text=True, timeout=60, check=False)
    if made.returncode:
        pytest.skip(f"podman does not work here: {made.stderr.strip()[-200:]}")
    found = asyncio.run(bring(tmp_path / "ours", "mine:1"))  # where podman keeps what was built without a registry
    assert (found.origin, found.image.refs) == ("Podman", ("docker.io/library/mine:1",))
    assert (found.image.layers[1].folder / "b").read_text() == "upper"
    with pytest.raises(PullError, match="Connection refused"):
        asyncio.run(bring(tmp_path / "ours", "localhost:1/other:1"))
