"""Who hears our secrets, and what is said when nobody listens."""

import json
import socket
from urllib.parse import parse_qs

import pytest

from madang.node.images.reference import parse
from madang.node.images.registry.client import Asked, Client, RegistryError
from madang.node.images.registry.credentials import Login
from madang.node.images.registry.patience import Patience
from tests.node.images.registry.fake import Handler, Registry, serving

QUICK = Patience(tries=2, first_s=0.001, most_s=1)
BODY = b"some bytes"


def client(registry: Registry, who: Login | None, base: str = "") -> Client:
    return Client(base or registry.base, parse(f"{registry.domain}/a"), lambda: who, patience=QUICK)


def heard(handler: Handler, into: list[str | None]) -> None:
    into.append(handler.headers.get("authorization"))
    handler.answer(200, BODY)


@pytest.mark.parametrize("basic", [True, False])
def test_secrets_stay_with_the_registry(registry: Registry, basic: bool) -> None:
    registry.user, registry.basic = "me:secret", basic
    registry.blobs["x"] = BODY
    said: list[str | None] = []
    ours = client(registry, Login("me", "secret"))
    with serving() as other:
        other.faults = [("elsewhere", lambda h: heard(h, said))] * 2
        assert ours.request(Asked("GET", ours.url("blobs/x"))).body == BODY
        registry.faults = [("blobs/x", lambda h: h.answer(307, location=f"{other.base}/elsewhere"))]
        assert ours.request(Asked("GET", ours.url("blobs/x"))).body == BODY
        ours.request(Asked("PUT", f"{other.base}/elsewhere", body=lambda: iter((BODY,)), size=len(BODY)))
    ours.close()
    assert said == [None, None] and registry.count("/token") == (0 if basic else 1)


def test_an_identity_token_is_changed_for_another(registry: Registry) -> None:
    registry.user = "me:secret"
    registry.blobs["x"] = BODY
    forms = []

    def change(handler: Handler) -> None:
        forms.append(parse_qs(handler.body.decode()))
        handler.answer(200, json.dumps({"access_token": "open-sesame"}).encode())

    registry.faults = [("/token", change)]
    ours = client(registry, Login("", "", "mine"))
    assert ours.request(Asked("GET", ours.url("blobs/x"))).body == BODY
    ours.close()
    (form,) = forms
    assert form["refresh_token"] == ["mine"] and form["grant_type"] == ["refresh_token"]
    assert form["scope"] == ["a:b:pull repository:a:pull"]


def test_a_token_that_is_over_is_changed(registry: Registry) -> None:
    registry.user = "me:secret"
    registry.blobs["x"] = BODY
    ours = client(registry, Login("me", "secret"))
    registry.faults = [("/token", lambda h: h.answer(200, b'{"token": "old"}'))]
    with pytest.raises(RegistryError, match="401 UNAUTHORIZED"):
        ours.request(Asked("GET", ours.url("blobs/x")))
    assert ours.request(Asked("GET", ours.url("blobs/x"))).body == BODY
    ours.close()


@pytest.mark.parametrize("body", [b"[]", b"<", b"{}", b'{"token": "a\\nb"}', b'{"token": 1}'])
def test_what_is_no_token(registry: Registry, body: bytes) -> None:
    registry.user = "me:secret"
    registry.faults = [("/token", lambda h: h.answer(200, body))]
    ours = client(registry, None)
    with pytest.raises(RegistryError, match="no token"):
        ours.request(Asked("GET", ours.url("blobs/x")))
    ours.close()


def test_a_place_for_tokens_without_tls_is_refused(registry: Registry) -> None:
    asked = 'Bearer realm="http://example.invalid/token",service="x"'
    registry.faults = [("blobs/x", lambda h: h.error(401, "UNAUTHORIZED", www_authenticate=asked))]
    ours = client(registry, Login("me", "secret"))
    with pytest.raises(RegistryError, match=r"example.invalid: only registries of this machine"):
        ours.request(Asked("GET", ours.url("blobs/x")))
    ours.close()


def test_nobody_there(registry: Registry) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound, not listening: refused
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ours = client(registry, None, base)
        with pytest.raises(RegistryError, match=f"{base}: .*refused") as refused:
            ours.request(Asked("GET", ours.url("blobs/x")))
        ours.close()
    assert refused.value.status == 0


def test_redirects_in_a_circle(registry: Registry) -> None:
    registry.faults = [("x", lambda h: h.answer(307, location=h.path))] * 20
    ours = client(registry, None)
    with pytest.raises(RegistryError, match="redirects"):
        ours.request(Asked("GET", ours.url("blobs/x")))
    ours.close()
    assert len(registry.seen) < 10
