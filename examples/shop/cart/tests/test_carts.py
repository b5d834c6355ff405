"""Carts on a real SQLite file."""

from pathlib import Path

from cart.store import Carts


def test_put_sets_and_zero_removes(tmp_path: Path) -> None:
    carts = Carts(str(tmp_path / "cart.db"))
    carts.put("c", 1, 2)
    carts.put("c", 1, 3)
    carts.put("c", 2, 1)
    assert carts.items("c") == {1: 3, 2: 1}
    carts.put("c", 2, 0)
    assert carts.items("c") == {1: 3}
    carts.empty("c")
    assert carts.items("c") == {}
