"""Decoded views: one dict a revision while it is used, bounded by the bytes they came from."""

from madang.ports.objects import Key
from madang.store.entry import Decoded, StoredEntry, lean


def test_the_last_used_stay() -> None:
    decoded = Decoded(limit_bytes=25)
    data = b'{"a":"bcd"}'
    entries = [StoredEntry(Key("pods", "ns", str(n)), n, data, (), decoded) for n in range(3)]
    first = entries[0].obj
    assert entries[1].obj == {"a": "bcd"}
    assert entries[0].obj is first  # used again, so the second goes first
    assert entries[2].obj == first
    assert decoded.size_bytes == 2 * len(data)
    assert entries[0].obj is first


def test_one_that_is_larger_than_the_limit() -> None:
    decoded = Decoded(limit_bytes=1)
    entry = StoredEntry(Key("pods", "ns", "a"), 1, b'{"a":1}', (), decoded)
    assert entry.obj is entry.obj
    assert repr(entry) == "<pods ns/a @1>"


def test_lean_keys_share_their_words() -> None:
    one, two = (lean(Key("".join(["po", "ds"]), "".join(["sh", "op"]), "a")) for _ in range(2))
    assert one.kind is two.kind and one.namespace is two.namespace
