"""What the use cases need of the outside, in their own words."""

from typing import Protocol

from orders.domain.order import Line, Order


class Unreachable(Exception):
    """A peer gave no usable answer; what it did is unknown."""


class SoldOut(Exception):
    pass


class Orders(Protocol):
    def find(self, order_id: str) -> Order | None: ...

    def save(self, order: Order) -> None: ...

    def of_cart(self, cart: str) -> list[Order]: ...


class Cart(Protocol):
    async def lines(self, cart: str) -> dict[int, int]:
        """product -> quantity."""
        ...

    async def empty(self, cart: str) -> None: ...


class Catalogue(Protocol):
    async def reserve(self, order_id: str, product: int, quantity: int) -> Line:
        """SoldOut where there are too few. Asking twice takes once."""
        ...

    async def release(self, order_id: str) -> None: ...


class Payments(Protocol):
    async def charge(self, order_id: str, cents: int) -> None:
        """Asking twice charges once."""
        ...

    async def void(self, order_id: str) -> None:
        """Undoes a charge, also one that arrives later."""
        ...
