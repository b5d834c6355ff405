"""A pull against a registry that is honest, slow to answer, broken, or lies."""

import base64
import fcntl
import json
import random
import threading
from typing import Any

import pytest

from madang.node.images.collection import let_go, sweep
from madang.node.images.layout import INDEX, MANIFEST, Layout
from madang.node.images.limits import BadArchive
from madang.node.images.offers import here
from madang.node.images.registry.client import RegistryError
from madang.node.images.registry.patience import Patience
from madang.node.images.registry.pulling import pull
from madang.node.images.store import Store
from tests.node.images.made import about, image_blobs, member, sha256, tar
from tests.node.images.registry.fake import Handler, Registry

NOISE = random.Random(4).randbytes(400_000)  # what no packer makes small
LOWER, UPPER = tar(member("a", NOISE)), tar(member("a", b"upper"))
QUICK = Patience(tries=3, first_s=0.001, most_s=1, connect_s=5, silence_s=5)
IMAGE, BLOBS = image_blobs([LOWER, UPPER], Cmd=["x"])
LAYERS = [layer["digest"] for layer in json.loads(BLOBS[IMAGE])["layers"]]


def fetch(registry: Registry, layout: Layout, name: str = "shop/cart:1", **more: Any) -> str:
    config = more.pop("config", {})
    patience = more.pop("patience", QUICK)
    places = more.pop("places", [registry.base])
    told = more.pop("told", lambda *_: None)
    return pull(layout, f"{registry.domain}/{name}", places, lambda: config, told, patience=patience, **more).digest


def whole(layout: Layout, digest: str = IMAGE) -> None:
    image = Store(layout.home).find(digest)
    assert image is not None
    assert [(layer.folder / "a").read_bytes() for layer in image.layers] == [NOISE, b"upper"]
    assert not list(layout.work.iterdir())


def nothing(layout: Layout) -> None:
    sweep(layout)  # what came of a layer stays for the next pull, or until then
    assert Store(layout.home).all() == [] and not list(layout.work.iterdir())
    assert not [t for t in threading.enumerate() if t.name.startswith("pull")]


def test_an_image_and_what_is_here_is_not_fetched_again(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    said: list[tuple[str, int, int]] = []
    assert fetch(registry, layout, told=lambda *s: said.append(s)) == IMAGE
    whole(layout)
    assert Store(layout.home).all()[0].refs == (f"{registry.domain}/shop/cart:1",)
    assert {(p, t, t) for p, _, t in said} <= set(said) and {p for p, _, _ in said} == {d[7:19] for d in LAYERS}
    registry.seen.clear()
    fetch(registry, layout)
    assert registry.count(LAYERS[0]) == registry.count(LAYERS[1]) == 0


def test_by_digest(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    assert fetch(registry, layout, f"shop/cart@{IMAGE}") == IMAGE
    registry.manifests[IMAGE] = (BLOBS[IMAGE] + b" ", MANIFEST)
    with pytest.raises(BadArchive, match=f"{IMAGE} holds something else"):
        fetch(registry, layout, f"shop/cart@{IMAGE}")


def test_of_several_platforms_ours(registry: Registry, layout: Layout) -> None:
    os, _, machine = here().partition("/")
    foreign = {**about(b"x", MANIFEST), "platform": {"os": os, "architecture": "none"}}
    ours = {**about(BLOBS[IMAGE], MANIFEST), "platform": {"os": os, "architecture": machine}}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [foreign, ours]}).encode()
    registry.offer("digest", IMAGE, BLOBS)
    registry.offer("1", sha256(index), {sha256(index): index}, INDEX)
    assert fetch(registry, layout) == IMAGE
    with pytest.raises(BadArchive, match=r"is for linux/none, .*, not for linux/other"):
        fetch(registry, layout, platform="linux/other")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_taken_up_where_it_stopped(registry: Registry, layout: Layout, ranges: bool) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.ranges = ranges
    body, asked = BLOBS[LAYERS[0]], []

    def second(handler: Handler) -> None:
        asked.append(handler.headers.get("range"))
        handler.serve()

    registry.faults = [(LAYERS[0], lambda h: h.cut(body[:300_000], len(body))), (LAYERS[0], second)]
    fetch(registry, layout)
    whole(layout)
    assert asked[0].startswith("bytes=") and int(asked[0][6:-1]) > 0


def test_the_next_pull_goes_on_where_one_failed(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    body, asked = BLOBS[LAYERS[0]], []
    registry.faults = [(LAYERS[0], lambda h: h.cut(body[:300_000], len(body)))]
    with pytest.raises(RegistryError):
        fetch(registry, layout, patience=Patience(tries=1))
    left = layout.work / "partial" / LAYERS[0][7:]
    came = left.stat().st_size
    assert 0 < came <= 300_000 and body.startswith(left.read_bytes())
    registry.faults = [(LAYERS[0], lambda h: [asked.append(h.headers.get("range")), h.serve()][0])]
    fetch(registry, layout)
    assert asked == [f"bytes={came}-"]
    whole(layout)


def test_what_was_left_may_be_wrong_too_long_or_in_use(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    layout.make()
    left = layout.work / "partial" / LAYERS[0][7:]
    left.parent.mkdir()
    left.write_bytes(b"wrong")
    with pytest.raises(BadArchive):
        fetch(registry, layout)
    assert not list(layout.work.iterdir())  # it does not spoil the next
    left.parent.mkdir()
    left.write_bytes(bytes(500_000))
    with open(left, "rb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        fetch(registry, layout)
    assert left.stat().st_size == 500_000
    left.unlink()
    left.parent.rmdir()
    whole(layout)
    let_go(Store(layout.home), [IMAGE])
    sweep(layout)
    left.parent.mkdir()
    left.write_bytes(bytes(500_000))
    fetch(registry, layout)
    whole(layout)


def test_answers_that_pass(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.faults = [
        ("manifests/1", lambda h: h.error(429, "TOOMANYREQUESTS", retry_after="0")),
        ("manifests/1", lambda h: h.error(503, "UNAVAILABLE")),
        (LAYERS[1], lambda h: h.error(500, "INTERNAL")),
    ]
    fetch(registry, layout)
    whole(layout)


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([("1", lambda h: h.error(429, "TOOMANYREQUESTS", retry_after="3600"))], "429 TOOMANYREQUESTS: so it is"),
        ([("1", lambda h: h.error(500, "INTERNAL"))] * 3, "500 INTERNAL"),
        ([("1", lambda h: h.error(404, "MANIFEST_UNKNOWN"))], "404 MANIFEST_UNKNOWN"),
        ([("1", lambda h: h.answer(302, location="http://example.invalid/x"))], "only registries of this machine"),
        ([(LAYERS[0], lambda h: h.cut(b"x" * 10, 400_000))] * 3, "blobs|bytes|connection|body"),
    ],
)
def test_answers_that_do_not(registry: Registry, layout: Layout, faults: Any, says: str) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.ranges = False
    registry.faults = list(faults)
    with pytest.raises(RegistryError, match=says):
        fetch(registry, layout)
    nothing(layout)


def test_a_stall_is_given_up(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    over = threading.Event()
    registry.faults = [(LAYERS[0], lambda h: [h.cut(b"x", 400_000), over.wait()][0])] * 2
    try:
        with pytest.raises(RegistryError, match=r"timed out|Timeout"):
            fetch(registry, layout, patience=Patience(tries=2, first_s=0.001, silence_s=0.2))
    finally:
        over.set()
    nothing(layout)


def test_a_crawl_is_given_up(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    with pytest.raises(RegistryError, match="bytes in 0 s"):
        fetch(registry, layout, patience=Patience(tries=1, slow_s=0, slow_bytes=1 << 30))
    nothing(layout)


def swapped(digest: str, body: bytes) -> Any:
    return lambda r: r.blobs.update({digest: body})


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (swapped(LAYERS[1], BLOBS[LAYERS[1]][:-1] + b"?"), f"{LAYERS[1]}|damaged"),
        (swapped(LAYERS[1], BLOBS[LAYERS[1]] + b"more"), "more than the"),
        (swapped(json.loads(BLOBS[IMAGE])["config"]["digest"], b"{}"), "were announced"),
        (lambda r: r.faults.append(("1", lambda h: h.answer(200, b"{}", content_type="text/html"))), "of the kind"),
        (lambda r: r.faults.append(("1", lambda h: h.answer(200, b"<"))), "no JSON"),
        (lambda r: r.faults.append(("1", lambda h: h.answer(200, b"{}", docker_content_digest=IMAGE))), "else"),
        (lambda r: r.faults.append(("1", lambda h: h.answer(200, b" " * (5 << 20)))), "more than"),
        (
            lambda r: r.faults.append(
                (LAYERS[1], lambda h: h.answer(206, BLOBS[LAYERS[1]], content_range="bytes 7-9/9"))
            ),
            "another range",
        ),
    ],
)
def test_a_lying_registry_changes_nothing(registry: Registry, layout: Layout, lie: Any, says: str) -> None:
    registry.offer("1", IMAGE, BLOBS)
    lie(registry)
    with pytest.raises(BadArchive, match=says):
        fetch(registry, layout)
    assert not list(layout.work.iterdir())
    nothing(layout)


@pytest.mark.parametrize("basic", [True, False])
def test_who_we_are(registry: Registry, layout: Layout, basic: bool) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.user, registry.basic = "me:secret", basic
    auth = base64.b64encode(b"me:secret").decode()
    fetch(registry, layout, config={"auths": {registry.domain: {"auth": auth}}})
    whole(layout)
    wrong = {"auths": {registry.domain: {"username": "me", "password": "guess"}}}
    for config, says in ((wrong, "401"), ({}, "401")):
        with pytest.raises(RegistryError, match=says) as refused:
            fetch(registry, layout, config=config)
        assert refused.value.status == 401


def test_mirrors_come_first_and_what_they_lack_comes_from_the_registry(registry: Registry, layout: Layout) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.faults = [("/mirror/v2/", lambda h: h.error(404, "UNKNOWN"))]
    fetch(registry, layout, places=[f"{registry.base}/mirror", registry.base])
    assert registry.seen[0] == "GET /mirror/v2/shop/cart/manifests/1"
    whole(layout)


def test_a_digest_alone_says_not_where(registry: Registry, layout: Layout) -> None:
    with pytest.raises(ValueError, match="names no registry"):
        pull(layout, IMAGE, [registry.base], dict, lambda *_: None)


@pytest.mark.parametrize(
    "fault",
    [
        ("/mirror/v2/shop/cart/blobs/", lambda h: h.error(404, "BLOB_UNKNOWN")),
        (LAYERS[0], lambda h: h.answer(200, bytes(len(BLOBS[LAYERS[0]])))),
    ],
)
def test_a_mirror_that_lacks_a_layer_or_lies(registry: Registry, layout: Layout, fault: Any) -> None:
    registry.offer("1", IMAGE, BLOBS)
    registry.faults = [fault] * 3
    registry.faults[1:] = [] if "mirror" not in fault[0] else registry.faults[1:]
    fetch(registry, layout, places=[f"{registry.base}/mirror", registry.base])
    whole(layout)
