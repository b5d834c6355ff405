"""A push brings what lacks, once, in one form."""

import gzip
import json
from typing import Any

import pytest

from madang.node.images.layout import MANIFEST, REF_NAME, Layout
from madang.node.images.registry.client import RegistryError
from madang.node.images.registry.patience import Patience
from madang.node.images.registry.pulling import pull
from madang.node.images.registry.pushing import push
from madang.node.images.store import Store
from tests.node.images.made import about, config_of, member, put, sha256, tar
from tests.node.images.registry.fake import Registry

LOWER, UPPER = tar(member("a", b"lower")), tar(member("a", b"upper"))
QUICK = Patience(tries=3, first_s=0.001, most_s=1)


def send(registry: Registry, layout: Layout, name: str = "shop/cart:1", config: Any = None) -> str:
    text = f"{registry.domain}/{name}"
    return push(layout, text, registry.base, lambda: config or {}, lambda *_: None, patience=QUICK)


def test_digests_stay_and_nothing_goes_twice(registry: Registry, layout: Layout) -> None:
    digest = put(layout, f"{registry.domain}/shop/cart:1", [LOWER, UPPER])
    assert send(registry, layout) == digest == sha256(registry.manifests["1"][0])
    assert all(sha256(body) == name for name, body in registry.blobs.items()) and len(registry.blobs) == 3
    registry.seen.clear()
    send(registry, layout)
    assert registry.count("upload") == 0 and registry.count("HEAD") == 3


def test_what_lies_uncompressed_is_packed_the_same_each_time(registry: Registry, layout: Layout) -> None:
    layout.make()
    config = json.dumps(config_of([LOWER])).encode()
    layers = [about(LOWER, "application/vnd.oci.image.layer.v1.tar")]
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": about(config, ""), "layers": layers})
    ref = f"{registry.domain}/shop/cart:1"
    put(layout, "other", [LOWER])  # for its tree
    for each in (config, LOWER, body.encode()):
        layout.blob(sha256(each)).write_bytes(each)
    with layout.changing() as entries:
        entries.append({**about(body.encode(), MANIFEST), "annotations": {REF_NAME: ref}})
    first = send(registry, layout)
    (layer,) = json.loads(registry.manifests["1"][0])["layers"]
    assert layer["mediaType"].endswith("tar+gzip") and gzip.decompress(registry.blobs[layer["digest"]]) == LOWER
    assert len(registry.blobs[layer["digest"]]) == layer["size"] and first != sha256(body.encode())
    assert send(registry, layout) == first and not list(layout.work.iterdir())
    mine = Layout(layout.home.parent / "mine")
    assert pull(mine, ref, [registry.base], dict, lambda *_: None).digest == first
    assert (Store(mine.home).all()[0].layers[0].folder / "a").read_text() == "lower"


def test_layers_are_mounted_from_neighbours(registry: Registry, layout: Layout) -> None:
    put(layout, f"{registry.domain}/shop/base:1", [LOWER])
    put(layout, f"{registry.domain}/shop/cart:1", [LOWER, UPPER])
    registry.mounts = True
    send(registry, layout, "shop/base:1")
    shared = sha256(gzip.compress(LOWER, mtime=0))
    registry.faults = [(f"cart/blobs/{shared}", lambda h: h.error(404, "UNKNOWN"))]  # not in this repository
    registry.seen.clear()
    send(registry, layout)
    escaped = shared.replace(":", "%3A")
    assert registry.count(f"POST /v2/shop/cart/blobs/uploads/?mount={escaped}&from=shop%2Fbase") == 1
    assert not [line for line in registry.seen if line.startswith("PUT") and escaped in line]


def test_a_broken_upload_is_begun_again(registry: Registry, layout: Layout) -> None:
    digest = put(layout, f"{registry.domain}/shop/cart:1", [LOWER])
    registry.faults = [("/upload/1", lambda h: h.error(500, "INTERNAL")), ("manifests/1", lambda h: h.error(502, ""))]
    assert send(registry, layout) == digest


def test_refusals(registry: Registry, layout: Layout) -> None:
    put(layout, f"{registry.domain}/shop/cart:1", [LOWER])
    registry.user = "me:secret"
    with pytest.raises(RegistryError, match=r"gives no token .401.; `docker login` may be needed"):
        send(registry, layout)
    mine = {"auths": {registry.domain: {"username": "me", "password": "secret"}}}
    registry.faults = [("uploads", lambda h: h.error(403, "DENIED"))]
    with pytest.raises(RegistryError, match="403 DENIED: so it is"):
        send(registry, layout, config=mine)
    registry.faults = [("manifests/1", lambda h: h.answer(201, docker_content_digest="sha256:0"))]
    with pytest.raises(RegistryError, match="says that it has sha256:0"):
        send(registry, layout, config=mine)
    with pytest.raises(ValueError, match="no image here has this name"):
        send(registry, layout, "shop/other:1")
