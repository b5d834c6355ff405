"""Lists over both implementations: order, namespaces, terms, pages, exact past revisions."""

import pytest

from madang.ports.objects import Key
from madang.store.history import Window
from madang.store.journaled import JournaledStore
from madang.store.model import HistoryGone, Listing
from tests.store.conftest import House, encode, pod


def names(listing: Listing) -> list[str]:
    return [f"{entry.key.namespace}/{entry.key.name}" for entry in listing.entries]


async def filled(house: House) -> JournaledStore:
    store = house.open()
    for namespace in ("b", "a", "a.b", "a-b"):
        for name, node in (("z", "n1"), ("x", "n2"), ("y", "n1")):
            labels = {"app": "web", "tier": node}
            await store.put(pod(name, namespace), encode(labels=labels, node=node), expect=0)
    await store.put(Key("nodes", "", "n1"), encode(), expect=0)
    return store


async def test_order_and_namespaces(house: House) -> None:
    store = await filled(house)
    every = names(store.list("pods"))
    assert every == [f"{ns}/{name}" for ns in ("a", "a-b", "a.b", "b") for name in "xyz"]
    assert names(store.list("pods", "a")) == ["a/x", "a/y", "a/z"]
    assert names(store.list("nodes")) == ["/n1"]
    assert names(store.list("nodes", "")) == ["/n1"]
    assert store.list("pods", "none") == Listing([], 13)
    assert store.list("unknown") == Listing([], 13)
    await store.close()


async def test_all_terms_must_hold(house: House) -> None:
    store = await filled(house)
    web, n1, n2 = ("label", "app=web"), ("node", "n1"), ("node", "n2")
    assert names(store.list("pods", "b", terms=[web, n1])) == ["b/y", "b/z"]
    assert names(store.list("pods", terms=[n2])) == ["a/x", "a-b/x", "a.b/x", "b/x"]
    assert names(store.list("pods", terms=[n1, n2])) == []
    assert names(store.list("pods", terms=[web, ("node", "n3")])) == []
    x = store.get(pod("x", "b"))
    assert x is not None
    await store.put(x.key, encode(node="n1"), expect=x.revision)
    assert names(store.list("pods", "b", terms=[n1])) == ["b/x", "b/y", "b/z"]
    assert names(store.list("pods", "b", terms=[n2])) == []
    assert names(store.list("pods", "b", terms=[web])) == ["b/y", "b/z"]
    for name in "xyz":
        await store.remove(pod(name, "b"), encode(), expect=None)
    assert names(store.list("pods", "b", terms=[n1])) == []
    await store.close()


@pytest.mark.parametrize("terms", [[], [("label", "app=web")]])
async def test_pages_of_an_exact_revision(house: House, terms: list[tuple[str, str]]) -> None:
    store = await filled(house)
    whole = store.list("pods", terms=terms)
    await store.remove(pod("x", "a"), encode(), expect=None)
    await store.put(pod("new", "a"), encode(labels={"app": "web"}), expect=0)
    await store.put(pod("y", "b"), encode(labels={"app": "other"}), expect=None)
    await store.remove(pod("z", "b"), encode(), expect=None)
    await store.put(pod("z", "b"), encode(labels={"app": "web"}, again=True), expect=0)
    pages, after = [], None
    while True:
        page = store.list("pods", terms=terms, after=after, limit=5, at=whole.revision)
        assert page.revision == whole.revision
        assert page.remaining == len(whole.entries) - len(pages) - len(page.entries)
        pages += page.entries
        if not page.remaining:
            break
        after = (page.entries[-1].key.namespace, page.entries[-1].key.name)
    assert pages == whole.entries
    await store.close()


async def test_pages_of_now(house: House) -> None:
    store = await filled(house)
    page = store.list("pods", "a", limit=2)
    assert (names(page), page.remaining) == (["a/x", "a/y"], 1)
    page = store.list("pods", "a", after=("a", "y"), limit=2)
    assert (names(page), page.remaining) == (["a/z"], 0)
    assert names(store.list("pods", "b", after=("a", "y"))) == ["b/x", "b/y", "b/z"]
    assert names(store.list("pods", "a", after=("b", "y"))) == []
    assert names(store.list("pods", after=("a.b", "nobody"), limit=1)) == ["a.b/x"]
    await store.close()


async def test_a_revision_that_has_left_the_window(house: House) -> None:
    store = house.open(Window(changes=5))
    for n in range(20):
        await store.put(pod(f"p{n:02}"), encode(), expect=0)
    assert store.oldest == 15
    assert len(store.list("pods", at=15).entries) == 15
    with pytest.raises(HistoryGone) as gone:
        store.list("pods", at=14)
    assert (gone.value.asked, gone.value.oldest) == (14, 15)
    assert store.list("pods", at=99).revision == 20
    await store.close()
