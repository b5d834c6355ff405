"""The lowest layer: products and reservations in SQLite. Several instances share the file; SQLite keeps them apart."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.model import Product

SCHEMA = """
CREATE TABLE IF NOT EXISTS product (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL,
  picture TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reservation (
  order_id TEXT NOT NULL, product_id INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (order_id, product_id)
);
"""
FIRST = [
    (1, "Celadon bowl", 2400, 100000, "160"),
    (2, "Hanji notebook", 900, 100000, "28"),
    (3, "Barley tea, 500 g", 700, 100000, "95"),
    (4, "Brass spoon set", 3200, 100000, "45"),
    (5, "Quilted pojagi", 5400, 100000, "330"),
    (6, "Onggi jar", 6800, 3, "15"),
]


class Repository:
    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._path = path
        with self.transaction() as rows:
            rows.execute("PRAGMA journal_mode=WAL")
            for statement in filter(str.strip, SCHEMA.split(";")):
                rows.execute(statement)
            rows.executemany("INSERT OR IGNORE INTO product VALUES (?, ?, ?, ?, ?)", FIRST)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        rows = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        try:
            rows.execute("PRAGMA synchronous=NORMAL")
            rows.execute("PRAGMA busy_timeout=5000")
            yield rows
        finally:
            rows.close()

    def all(self) -> list[Product]:
        with self.transaction() as rows:
            return [Product(*row) for row in rows.execute("SELECT * FROM product ORDER BY id")]

    def one(self, product_id: int) -> Product | None:
        with self.transaction() as rows:
            row = rows.execute("SELECT * FROM product WHERE id = ?", (product_id,)).fetchone()
            return Product(*row) if row else None

    def reserve(self, order_id: str, product_id: int, quantity: int) -> bool:
        """True also when this very reservation was made before: asking twice takes the goods once."""
        with self.transaction() as rows:
            rows.execute("BEGIN IMMEDIATE")
            try:
                done = rows.execute(
                    "SELECT 1 FROM reservation WHERE order_id = ? AND product_id = ?", (order_id, product_id)
                ).fetchone()
                taken = (
                    done
                    or rows.execute(
                        "UPDATE product SET stock = stock - ? WHERE id = ? AND stock >= ?",
                        (quantity, product_id, quantity),
                    ).rowcount
                )
                if taken and not done:
                    rows.execute("INSERT INTO reservation VALUES (?, ?, ?)", (order_id, product_id, quantity))
                rows.execute("COMMIT")
                return bool(taken)
            except BaseException:
                rows.execute("ROLLBACK")
                raise

    def release(self, order_id: str) -> int:
        """Gives back all that an order had reserved; how many products that were."""
        with self.transaction() as rows:
            rows.execute("BEGIN IMMEDIATE")
            try:
                held = rows.execute(
                    "SELECT product_id, quantity FROM reservation WHERE order_id = ?", (order_id,)
                ).fetchall()
                for product_id, quantity in held:
                    rows.execute("UPDATE product SET stock = stock + ? WHERE id = ?", (quantity, product_id))
                rows.execute("DELETE FROM reservation WHERE order_id = ?", (order_id,))
                rows.execute("COMMIT")
                return len(held)
            except BaseException:
                rows.execute("ROLLBACK")
                raise
