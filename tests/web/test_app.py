"""The stream's text: what a browser makes of it."""

from madang.web.app import event, events


def test_a_moment_is_told_with_its_last_fragment_alone() -> None:
    """A browser whose stream breaks off between two says which moment it knows; it must be the one before."""
    first, last = events([("top", "<p>a</p>"), ("listing", "<p>b\u2028\r\nc</p>")], "e-7")
    assert b"id:" not in first and first.endswith(b"event: top\ndata: <p>a</p>\n\n")
    assert last == b"id: e-7\nevent: listing\ndata: <p>b\ndata: \ndata: c</p>\n\n"


def test_a_fragment_that_became_empty_is_told_too() -> None:
    assert event("graph-shop", "") == b":\nevent: graph-shop\ndata: \n\n"
