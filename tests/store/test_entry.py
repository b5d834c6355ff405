"""Decoded views: one dict a revision while it is used, bounded by the bytes they came from."""

import gc

from madang.ports.objects import Key
from madang.store.entry import Decoded, StoredEntry, plain


def test_the_last_used_stay() -> None:
    decoded = Decoded(limit_bytes=25)
    data = b'{"a":"bcd"}'
    entries = [StoredEntry((("pods", "ns", str(n)), n, data, ()), decoded) for n in range(3)]
    first = entries[0].obj
    assert entries[1].obj == {"a": "bcd"}
    assert entries[0].obj is first  # used again, so the second goes first
    assert entries[2].obj == first
    assert decoded.size_bytes == 2 * len(data)
    assert entries[0].obj is first


def test_what_was_just_encoded_need_not_be_decoded() -> None:
    decoded, obj, data = Decoded(limit_bytes=15), {"a": "bcd"}, b'{"a":"bcd"}'
    decoded.keep(1, obj, len(data))
    assert StoredEntry((("pods", "ns", "a"), 1, data, ()), decoded).obj is obj
    decoded.keep(2, {"a": "xyz"}, len(data))
    assert decoded.size_bytes == len(data)
    assert StoredEntry((("pods", "ns", "a"), 1, data, ()), decoded).obj is not obj  # it had to go


def test_one_that_is_larger_than_the_limit() -> None:
    decoded = Decoded(limit_bytes=1)
    entry = StoredEntry((("pods", "ns", "a"), 1, b'{"a":1}', ()), decoded)
    assert entry.obj is entry.obj
    assert repr(entry) == "<pods ns/a @1>"


def test_plain_keys_share_their_words_and_are_found_by_keys() -> None:
    key = Key("".join(["po", "ds"]), "".join(["sh", "op"]), "a")
    one, two = plain(key), plain(Key("pods", "".join(["sho", "p"]), "a"))
    assert one[0] is two[0] and one[1] is two[1]
    assert {one: 1}[key] == 1
    assert StoredEntry((one, 1, b"", ()), Decoded()).key == key


def test_handles_on_one_state_are_equal() -> None:
    one, two = (StoredEntry((("pods", "ns", "a"), 1, b"{}", terms), Decoded()) for terms in ((), (("node", "n"),)))
    assert one == two and hash(one) == hash(two)
    assert one != StoredEntry((("pods", "ns", "a"), 2, b"{}", ()), Decoded())


def test_the_collector_forgets_records() -> None:
    records = [(("pods", "ns", f"p{n}"), n, b"{}", (("node", f"n{n}"),)) for n in range(10)]
    for _ in range(3):  # innermost tuples first
        gc.collect()
    assert not any(gc.is_tracked(record) for record in records)
