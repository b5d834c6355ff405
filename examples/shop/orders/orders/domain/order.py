"""An order and its life: begun -> paid, or unpaid, or sold-out. What has ended stays as it ended."""

from dataclasses import dataclass, replace
from typing import Literal

State = Literal["begun", "paid", "unpaid", "sold-out", "empty"]


class Ended(Exception):
    """An order that has ended cannot become something else."""


@dataclass(frozen=True)
class Line:
    product: int
    quantity: int
    price_cents: int


@dataclass(frozen=True)
class Order:
    id: str
    cart: str
    lines: tuple[Line, ...]
    state: State = "begun"

    @property
    def total_cents(self) -> int:
        return sum(line.price_cents * line.quantity for line in self.lines)

    def becomes(self, state: State) -> "Order":
        if self.state not in ("begun", state):
            raise Ended(f"order {self.id} is {self.state} and cannot become {state}")
        return replace(self, state=state)
