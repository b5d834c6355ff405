"""The window's three bounds, on invented time."""

from madang.store.entry import Decoded, Record
from madang.store.history import History, Past, Window

DECODED = Decoded()


def change(revision: int, kind: str = "pods", size_bytes: int = 10) -> Past:
    return ("ADDED", ((kind, "shop", f"p{revision}"), revision, b"x" * size_bytes, ()), None)


def opened(window: Window) -> History:
    return History(0, window, DECODED)


def test_count_bytes_and_age() -> None:
    history = opened(Window(changes=10, size_bytes=1000, age_s=60, ageless_changes=3))
    for revision in range(1, 13):
        history.append(change(revision, "pods" if revision % 2 else "nodes"), now_s=0)
        history.trim(0)
    assert history.oldest == 2
    history.append(change(13, size_bytes=950), now_s=10)
    history.trim(10)
    assert (history.oldest, history.size_bytes) == (7, 1000)
    history.trim(61)
    assert history.oldest == 10  # three stay whatever their age
    assert [c.entry.revision for c in history.track("pods").read(history.track("pods").first)] == [11, 13]


def test_one_change_too_large_for_the_window() -> None:
    history = opened(Window(size_bytes=100))
    history.append(change(1, size_bytes=500), now_s=0)
    history.trim(0)
    assert (history.oldest, history.size_bytes) == (1, 0)


def test_positions_stay_valid() -> None:
    history = opened(Window(changes=4))
    track = history.track("pods")
    for revision in range(1, 10):
        history.append(change(revision), now_s=0)
        history.trim(0)
    assert (track.first, track.end) == (5, 9)
    assert track.after(7) == 7
    assert [c.entry.revision for c in track.read(7)] == [8, 9]


def test_the_undo_map_holds_the_first_before() -> None:
    history = opened(Window())
    states: list[Record] = [(("pods", "shop", "a"), revision, b"", ()) for revision in (1, 2, 3)]
    for before, state in zip([None, *states], states, strict=False):
        history.append(("MODIFIED" if before else "ADDED", state, before), 0)
    key = states[0][0]
    assert history.undo("pods", 1) == {key: states[0]}
    assert history.undo("pods", 0) == {key: None}
    assert history.undo("pods", 3) == {}
    assert history.undo("unknown", 0) == {}


def test_watchers_at_one_place_share_what_they_read() -> None:
    history = opened(Window())
    history.append(change(1), 0)
    track = history.track("pods")
    first = track.read(0)
    assert track.read(0) is first
    history.append(change(2), 0)
    assert [c.entry.revision for c in track.read(0)] == [1, 2]
    assert [c.entry.revision for c in track.read(1)] == [2]
