"""Who goes first, who never goes, and the words."""

from hypothesis import given
from hypothesis import strategies as st

from madang.node.eviction.decision import CRITICAL, WORTH_BYTES, Candidate, Low, Part, choose, quantity, target

MI = 1 << 20
RAM = Low("memory", 100 * MI, 17348 << 10, "100Mi")


def pod(uid: str, used: int, asked: int = 0, priority: int = 0) -> Candidate:
    return Candidate(uid, priority, (Part("app", used, asked),))


def chosen(*pods: Candidate) -> str:
    found = choose(RAM, pods)
    return found[0] if found else ""


def test_who_is_furthest_over_what_it_asked_for_goes() -> None:
    assert chosen(pod("a", 100 * MI), pod("b", 300 * MI), pod("c", 900 * MI, 800 * MI)) == "b"


def test_the_least_important_goes_before() -> None:
    assert chosen(pod("a", 900 * MI, priority=5), pod("b", 100 * MI)) == "b"


def test_who_keeps_to_what_it_asked_for_stays_and_so_do_the_small_and_the_critical() -> None:
    assert chosen(pod("a", 900 * MI, 900 * MI), pod("b", 10 * MI), pod("c", 900 * MI, priority=CRITICAL)) == ""


def test_the_words_are_a_kubelets() -> None:
    assert choose(RAM, [pod("a", 188 * MI, 15 * MI)]) == (
        "a",
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 17348Ki. "
        "Container app was using 188Mi, request is 15Mi, has larger consumption of memory. ",
    )
    assert [quantity(n) for n in (0, 1000, 3 << 10, 5 << 30)] == ["0", "1000", "3Ki", "5Gi"]


def test_the_condition_keeps_its_hour() -> None:
    first = target("m", "1", [])
    assert target("m", "2", [first]) == first and first["reason"] == "TerminationByKubelet"


PODS = st.lists(
    st.builds(
        pod,
        st.uuids().map(str),
        st.integers(0, 1 << 34),
        st.integers(0, 1 << 34),
        st.integers(-5, CRITICAL + 5),
    ),
    max_size=8,
)


@given(PODS)
def test_nobody_who_is_passed_over_deserved_it_more(pods: list[Candidate]) -> None:
    found = choose(RAM, pods)
    worth = [p for p in pods if p.over_bytes >= WORTH_BYTES["memory"] and p.priority < CRITICAL]
    assert (found is None) == (not worth)
    if found is not None:
        (gone,) = [p for p in worth if p.uid == found[0]]
        assert all((gone.priority, -gone.over_bytes) <= (p.priority, -p.over_bytes) for p in worth)
