"""The term index: one key alone, many in a set, gone when the last one goes; equal terms are shared."""

from madang.store.terms import TermIndex

A, B = ("pods", "ns", "a"), ("pods", "ns", "b")


def test_one_and_many() -> None:
    index = TermIndex()
    node = ("node", "n")
    assert index.add(A, (node,)) == (node,)
    assert index.add(A, (node,)) == (node,)
    assert list(index.fewest([node])) == [A]
    other = ("node", "".join(["", "n"]))
    assert index.add(B, (other,))[0] is node
    assert set(index.fewest([node])) == {A, B}
    index.add(B, (("app", "web"),))
    assert list(index.fewest([node, ("app", "web")])) == [B]
    assert list(index.fewest([node, ("app", "none")])) == []
    index.discard(A, (node,))
    assert list(index.fewest([node])) == [B]
    index.discard(B, (node, ("app", "web"), ("never", "there")))
    assert len(index) == 0


def test_discarding_another_key_changes_nothing() -> None:
    index = TermIndex()
    index.add(A, (("node", "n"),))
    index.discard(B, (("node", "n"),))
    assert list(index.fewest([("node", "n")])) == [A]
