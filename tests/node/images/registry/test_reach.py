"""Who listens where a registry should be, and whether with TLS."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from madang.node.images.layout import Layout
from madang.node.images.registry.client import RegistryError
from madang.node.images.registry.patience import Patience
from madang.node.images.registry.pulling import current, pull
from madang.node.images.registry.reach import Unreached, reached
from tests.node.images.made import image_blobs, member, tar
from tests.node.images.registry.fake import Handler, Registry

IMAGE, BLOBS = image_blobs([tar(member("a", b"x"))])


@contextmanager
def with_tls(folder: Path) -> Iterator[Registry]:
    """A registry whose certificate nobody has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("not installed: openssl")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    registry = Registry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"registry": registry}))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who speaks without TLS
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    registry.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_with_and_without_tls(registry: Registry, tmp_path: Path) -> None:
    assert reached(registry.base) == registry.base
    with with_tls(tmp_path) as other:
        assert reached(other.base) == other.base.replace("http:", "https:")


def test_nobody() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Unreached, match="Connection refused"):
            reached(f"http://127.0.0.1:{bound.getsockname()[1]}")
    with pytest.raises(Unreached, match=r"https://name\.invalid: "):
        reached("https://name.invalid", 3)


def test_a_resolver_that_is_silent_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def silent(*_: object) -> socket.socket:
        let_go.wait(20)
        raise OSError(0, "too late")

    monkeypatch.setattr(socket, "create_connection", silent)
    begun = time.monotonic()
    with pytest.raises(Unreached, match=r"no answer within 0\.05 s"):
        reached("https://a.example", 0.05)
    assert time.monotonic() - begun < 10
    let_go.set()


def test_a_proxy_is_trusted_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert reached("https://name.invalid") == "https://name.invalid"


def test_a_private_authority(tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with with_tls(tmp_path) as registry:
        registry.offer("1", IMAGE, BLOBS)
        ref = f"{registry.domain}/cart:1"

        def fetch() -> str:
            quick = Patience(tries=2, first_s=0.001)
            return pull(layout, ref, [registry.base], dict, lambda *_: None, reach_s=5, patience=quick).digest

        folder = tmp_path / "home/.docker/certs.d" / registry.domain
        says = f"no authority that is known here: put the authority's certificate into {folder}/ca.crt, or name"
        with pytest.raises(RegistryError) as refused:
            fetch()
        assert says in str(refused.value)
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_text("nothing")
        with pytest.raises(RegistryError, match=rf"{folder}/ca.crt: "):
            fetch()
        shutil.copy(tmp_path / "cert.pem", folder / "ca.crt")
        assert fetch() == IMAGE


def test_what_a_registry_has_now(registry: Registry) -> None:
    registry.offer("1", IMAGE, BLOBS)
    ref, where = f"{registry.domain}/cart:1", [f"{registry.base}/mirror", registry.base]
    assert current(ref, where, dict, 5).digest == ""  # it does not say
    registry.faults = [
        ("/mirror/", lambda h: h.error(429, "TOOMANYREQUESTS")),
        ("/manifests/", lambda h: h.answer(200, docker_content_digest=IMAGE)),
    ]
    registry.seen.clear()
    found = current(ref, [f"{registry.base}/mirror", registry.base], dict, 5)
    assert (found.digest, found.place) == (IMAGE, registry.base) and len(registry.seen) == 2 + 2
    with pytest.raises(RegistryError, match="404") as refused:
        current(f"{registry.domain}/cart:2", [registry.base], dict, 5)
    assert refused.value.status == 404
