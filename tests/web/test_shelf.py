"""Images as piles, containers against their limits: what stands where, what is left out, how figures are written."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.ports.streams import PodUsage, Stack, StackLayer, Usage
from madang.web.application import Load
from madang.web.facts import Held, Instance, Snapshot
from madang.web.fragments import Renderer
from madang.web.load import each
from madang.web.meters import SHOWN, meters
from madang.web.picture import picture
from madang.web.reading import machine, read, snapshot
from madang.web.shelf import GROUPS, HEIGHTS, PILES, PODS, groups, shelf, size_of, strips
from tests.web import things

MB = 10**6


def stack(name: str, *layers: tuple[str, int], ident: str = "") -> Stack:
    made = tuple(StackLayer(f"sha256:{group}{size}", group, size, f"RUN make {group}") for group, size in layers)
    return Stack(ident or f"sha256:{name}", f"sha256:d{name}", (name,), made)


CART = stack("cart:1", ("base", 75 * MB), ("operating system", 9 * MB), ("operating system", 1 * MB),
             ("runtime", 40 * MB), ("application", 40_000))  # fmt: skip
REDIS = stack("redis:7", ("base", 75 * MB), ("application", 30 * MB))


def running(name: str, *held: Held, namespace: str = "shop") -> Instance:
    return Instance(namespace, name, "web", phase="Running", containers=held)


def on(image: Stack, name: str = "web") -> Held:
    return Held(name, image.names[0], image.id, running=True)


def test_the_application_lies_on_top_and_who_runs_it_is_named() -> None:
    s = Snapshot(stacks=(REDIS, CART), instances=tuple(running(f"cart-{n}", on(CART)) for n in range(PODS + 2)))
    cart, redis = shelf(s).piles
    assert (cart.name, cart.size, cart.pods, cart.more) == (
        "cart:1",
        "125 MB",
        ("cart-0", "cart-1", "cart-2", "cart-3"),
        2,
    )
    assert [(slab.group, slab.size, len(slab.strips)) for slab in cart.slabs] == [
        ("application", "40 kB", 1), ("runtime", "40 MB", 1), ("operating system", "10 MB", 2), ("base", "75 MB", 1)
    ]  # fmt: skip
    assert cart.slabs[0].height == 1 and cart.slabs[-1].height == HEIGHTS == redis.slabs[-1].height
    assert redis.pods == ()


def test_what_runs_comes_first_and_the_rest_is_counted() -> None:
    stacks = tuple(stack(f"a{n:02}:1", ("base", MB)) for n in range(PILES + 3))
    found = shelf(Snapshot(stacks=stacks, instances=(running("last", on(stacks[-1])),)))
    assert (found.piles[0].name, len(found.piles), found.more) == ("a10:1", PILES, 3)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=40))
def test_strips_fill_their_slab(sizes: list[int]) -> None:
    made = strips(StackLayer(str(n), "base", size, "") for n, size in enumerate(sizes))
    assert all(strip.width > 0 for strip in made)
    assert sum(strip.width for strip in made) == pytest.approx(100, abs=0.5)
    assert all(a.x + a.width == pytest.approx(b.x, abs=0.02) for a, b in pairwise(made))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (999.7, "1 kB"), (40_000, "40 kB"), (1_984_000, "1.98 MB"), (3 * 10**12, "3 TB")],
)
def test_sizes(count: float, text: str) -> None:
    assert size_of(count) == text


def test_a_layer_that_images_share_weighs_once() -> None:
    assert groups([CART, REDIS])["base"] == (2, 75 * MB)


def test_the_picture_knows_what_the_images_are_made_of() -> None:
    s = replace(snapshot(read({"nodes": [things.node()]}), machine(things.RECORD)), stacks=(CART, REDIS))
    now = {lit.element.key: lit for lit in picture(s).every()}
    assert now["layers"].reason.en == "2 images, 155 MB"
    assert now["layer-base"].reason.en == "75 MB in 2 images" and now["layer-base"].lamp == "ok"
    assert now["layer-runtime"].reason.ko == "이미지 1개에 40 MB"
    assert {lit.lamp for key, lit in now.items() if key.startswith("layer-")} == {"ok"}
    bare = {lit.element.key: lit for lit in picture(replace(s, stacks=(REDIS,))).every()}
    assert (bare["layer-system"].lamp, bare["layer-system"].reason.en) == ("absent", "no image here has it")


def used(**containers: tuple[float, int]) -> Load:
    usage = {name: Usage(0, 1, cores, memory) for name, (cores, memory) in containers.items()}
    return Load(held=each([PodUsage("shop", "a", usage)]))


def test_meters() -> None:
    web = Held("web", running=True, cpu_millis=500, memory_bytes=64 << 20)
    side = Held("side", running=True)
    s = Snapshot(instances=(running("a", side, web), running("b", replace(web, running=False))))
    first, second = meters(s, used(web=(0.4567, 62 << 20), side=(0.0124, 1))).gauges
    assert (first.container, first.cpu.used, first.cpu.limit, first.memory.used) == ("side", 12, 0, 1)
    assert (second.cpu.used, second.cpu.share, second.cpu.full) == (460, 92, True)
    assert (second.memory.share, second.memory.full) == (97, True)
    assert meters(replace(s, instances=(running("a", web),)), Load()).gauges[0].container == ""


def test_of_many_the_fullest_are_shown_in_the_order_of_their_names() -> None:
    def one(n: int) -> Instance:
        return running(f"p{n:02}", Held("c", running=True, memory_bytes=100 << 20))

    held = {("shop", f"p{n:02}", "c"): (0.0, n << 20) for n in range(100)}
    found = meters(Snapshot(instances=tuple(map(one, range(100)))), Load(held=held))
    names = [g.pod for g in found.gauges]
    assert names == sorted(names) and len(names) == SHOWN and found.more == 100 - SHOWN
    assert {"p99", "p95", "p80"} <= set(names)


def test_limits_are_read_from_the_pod_sidecars_too() -> None:
    pod: dict[str, Any] = things.pod("a")
    pod["spec"]["initContainers"] = [{"name": "once"}, {"name": "side", "restartPolicy": "Always"}]
    pod["spec"]["containers"][0]["resources"]["limits"] = {"cpu": "0.5", "memory": "64Mi"}
    pod["status"]["containerStatuses"][0]["imageID"] = CART.id
    (found,) = snapshot(read({"pods": [pod]}), machine(things.RECORD)).instances
    assert [(h.name, h.cpu_millis, h.memory_bytes, h.image_id, h.running) for h in found.containers] == [
        ("side", 0, 0, "", False), ("web", 500, 64 << 20, CART.id, True)
    ]  # fmt: skip


def test_written_in_both_languages_and_escaped() -> None:
    evil = stack("<b>x</b>", ("base", MB), ("application", 2))
    s = Snapshot(stacks=(evil,), instances=(running("a", on(evil)),))
    for language, words in (("en", ("run by", "application")), ("ko", ("실행 중인 파드", "애플리케이션"))):
        renderer = Renderer(language)  # type: ignore[arg-type]
        html = renderer.fragment("images", shelf(s), {})
        assert all(word in html for word in words) and "<b>x" not in html and "style=" not in html
        assert "1 MiB" in renderer.fragment("containers", meters(s, used(web=(0.1, MB))), {}).replace("1MiB", "1 MiB")
    assert "madang image pull" in Renderer("en").fragment("images", shelf(Snapshot()), {})
    assert [slab.group for slab in shelf(s).piles[0].slabs] == [g for g in GROUPS if g in ("application", "base")]
