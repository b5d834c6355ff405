"""Carts in SQLite, by an id that the shop's page keeps in a cookie."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

SCHEMA = """CREATE TABLE IF NOT EXISTS item (
  cart TEXT NOT NULL, product_id INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (cart, product_id)
)"""


class Carts:
    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._path = path
        with self._rows() as rows:
            rows.execute("PRAGMA journal_mode=WAL")
            rows.execute(SCHEMA)

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        rows = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        try:
            rows.execute("PRAGMA synchronous=NORMAL")
            rows.execute("PRAGMA busy_timeout=5000")
            yield rows
        finally:
            rows.close()

    def items(self, cart: str) -> dict[int, int]:
        with self._rows() as rows:
            return dict(rows.execute("SELECT product_id, quantity FROM item WHERE cart = ? ORDER BY 1", (cart,)))

    def put(self, cart: str, product_id: int, quantity: int) -> None:
        """Sets, not adds: the same request twice is the same cart."""
        with self._rows() as rows:
            if quantity:
                rows.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?)", (cart, product_id, quantity))
            else:
                rows.execute("DELETE FROM item WHERE cart = ? AND product_id = ?", (cart, product_id))

    def empty(self, cart: str) -> None:
        with self._rows() as rows:
            rows.execute("DELETE FROM item WHERE cart = ?", (cart,))
