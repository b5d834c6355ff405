"""The use cases, with ports in memory: no HTTP, no SQL."""

import asyncio

import pytest
from orders.application.ordering import Ordering
from orders.application.ports import SoldOut, Unreachable
from orders.domain.order import Ended, Line, Order


class Memory:
    """All four ports at once."""

    def __init__(self, *, stock: int = 10, bank: bool = True) -> None:
        self.placed: dict[str, Order] = {}
        self.cart = {7: 2}
        self.stock = stock
        self.bank = bank
        self.held: dict[str, int] = {}
        self.charged: dict[str, int] = {}
        self.voided: list[str] = []

    def find(self, order_id: str) -> Order | None:
        return self.placed.get(order_id)

    def save(self, order: Order) -> None:
        self.placed[order.id] = order

    def of_cart(self, cart: str) -> list[Order]:
        return [o for o in self.placed.values() if o.cart == cart]

    async def lines(self, cart: str) -> dict[int, int]:
        return dict(self.cart)

    async def empty(self, cart: str) -> None:
        self.cart.clear()

    async def reserve(self, order_id: str, product: int, quantity: int) -> Line:
        if order_id not in self.held:
            if self.stock < quantity:
                raise SoldOut("too few")
            self.stock -= quantity
            self.held[order_id] = quantity
        return Line(product, quantity, 500)

    async def release(self, order_id: str) -> None:
        self.stock += self.held.pop(order_id, 0)

    async def charge(self, order_id: str, cents: int) -> None:
        if not self.bank:
            raise Unreachable("no answer")
        self.charged.setdefault(order_id, cents)

    async def void(self, order_id: str) -> None:
        self.voided.append(order_id)


def place(shop: Memory, key: str = "k") -> Order:
    return asyncio.run(Ordering(shop, shop, shop, shop).place("c", key))


def test_a_paid_order_takes_goods_and_empties_the_cart() -> None:
    shop = Memory()
    order = place(shop)
    assert (order.state, order.total_cents, shop.stock, shop.cart, shop.charged) == ("paid", 1000, 8, {}, {"k": 1000})


def test_the_same_key_again_is_the_same_order() -> None:
    shop = Memory()
    assert place(shop) == place(shop)
    assert shop.charged == {"k": 1000}


def test_too_few_goods() -> None:
    shop = Memory(stock=1)
    assert place(shop).state == "sold-out"
    assert shop.stock == 1 and not shop.charged


def test_a_bank_that_does_not_answer_gives_the_goods_back() -> None:
    shop = Memory(bank=False)
    assert place(shop).state == "unpaid"
    assert shop.stock == 10 and shop.voided == ["k"]


def test_an_empty_cart_is_no_order() -> None:
    shop = Memory()
    shop.cart.clear()
    assert place(shop).state == "empty" and not shop.placed


def test_what_has_ended_stays_ended() -> None:
    with pytest.raises(Ended):
        Order("k", "c", (), "paid").becomes("unpaid")
