"""The port `Orders` on SQLite."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from orders.domain.order import Line, Order

SCHEMA = """CREATE TABLE IF NOT EXISTS placed (
  id TEXT PRIMARY KEY, cart TEXT NOT NULL, state TEXT NOT NULL, lines TEXT NOT NULL,
  at REAL NOT NULL DEFAULT (julianday())
)"""


class SqliteOrders:
    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._path = path
        with self._rows() as rows:
            rows.execute("PRAGMA journal_mode=WAL")
            rows.execute(SCHEMA)
            rows.execute("CREATE INDEX IF NOT EXISTS by_cart ON placed (cart, at)")

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        rows = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        try:
            rows.execute("PRAGMA busy_timeout=5000")
            yield rows
        finally:
            rows.close()

    def find(self, order_id: str) -> Order | None:
        found = self._select("id = ?", order_id)
        return found[0] if found else None

    def save(self, order: Order) -> None:
        lines = json.dumps([[line.product, line.quantity, line.price_cents] for line in order.lines])
        with self._rows() as rows:
            rows.execute(
                "INSERT INTO placed (id, cart, state, lines) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, lines = excluded.lines",
                (order.id, order.cart, order.state, lines),
            )

    def of_cart(self, cart: str) -> list[Order]:
        return self._select("cart = ? ORDER BY at DESC LIMIT 10", cart)

    def _select(self, where: str, *values: str) -> list[Order]:
        with self._rows() as rows:
            found = rows.execute(f"SELECT id, cart, state, lines FROM placed WHERE {where}", values).fetchall()
        return [Order(i, c, tuple(Line(*line) for line in json.loads(lines)), s) for i, c, s, lines in found]
