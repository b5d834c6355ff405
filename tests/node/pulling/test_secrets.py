"""As whom a pod's images are pulled."""

import base64
import json
from typing import Any

from madang.node.images.reference import parse
from madang.node.images.registry.credentials import login
from madang.node.pulling.secrets import Credentials, credentials, unusable
from madang.ports.objects import Obj


def secret(type_: str, key: str, body: Any) -> Obj:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"type": type_, "data": {key: base64.b64encode(text).decode()}}


SECRETS = {
    "today": secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", {"auths": {"a.io": {"auth": "bWU6b25l"}}}),
    "legacy": secret(
        "kubernetes.io/dockercfg",
        ".dockercfg",
        {"a.io": {"auth": "bWU6dHdv"}, "https://index.docker.io/v1/": {"username": "hub", "password": "p"}},
    ),
    "broken": secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", b"{"),
    "deep": secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", b"[" * 100_000),
    "other": secret("Opaque", ".dockerconfigjson", {"auths": {}}),
    "odd": secret("kubernetes.io/dockercfg", ".dockercfg", ["a.io"]),
}


def of(*names: str) -> Credentials:
    return credentials({"spec": {"imagePullSecrets": [{"name": name} for name in names]}}, SECRETS.get)


def test_both_forms_are_read_and_the_first_counts() -> None:
    found = of("today", "legacy")
    assert found.config is not None and found.unusable == ()
    mine, hub = (login(found.config, parse(image)) for image in ("a.io/x", "redis"))
    assert mine is not None and (mine.user, mine.password) == ("me", "one")
    assert hub is not None and hub.user == "hub"
    assert of("legacy", "today").config != found.config and of("legacy", "today").key != found.key


def test_what_cannot_be_used_is_named() -> None:
    assert of() == Credentials() == credentials({"spec": {}}, SECRETS.get)
    found = of("none", "broken", "deep", "today", "other", "odd", "")
    assert found.unusable == ("none", "broken", "deep", "other", "odd", "") and found.config == of("today").config
    assert "(none, x); attempting to pull the image may not succeed" in unusable(("none", "x"))
