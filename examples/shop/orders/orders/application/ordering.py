"""The use cases: place an order, list orders.

Placing is a saga: reserve goods, charge, and undo both where either fails. Every step can be asked twice, so an order
that a crash or an unreachable peer cut short stays `begun` and is simply placed again under the same id.
"""

import contextlib

from orders.application.ports import Cart, Catalogue, Orders, Payments, SoldOut, Unreachable
from orders.domain.order import Order, State


class Ordering:
    def __init__(self, orders: Orders, cart: Cart, catalogue: Catalogue, payments: Payments) -> None:
        self._orders = orders
        self._cart = cart
        self._catalogue = catalogue
        self._payments = payments

    def of_cart(self, cart: str) -> list[Order]:
        return self._orders.of_cart(cart)

    async def place(self, cart: str, key: str) -> Order:
        """`key` names the order: the same key again gives the same order."""
        known = self._orders.find(key)
        if known is not None and known.state != "begun":
            return known
        wanted = await self._cart.lines(cart)
        if not wanted:
            return Order(key, cart, (), "empty")
        self._orders.save(Order(key, cart, ()))
        try:
            lines = [await self._catalogue.reserve(key, product, n) for product, n in sorted(wanted.items())]
        except SoldOut:
            return await self.give_up(Order(key, cart, ()), "sold-out")
        order = Order(key, cart, tuple(lines))
        self._orders.save(order)
        try:
            await self._payments.charge(order.id, order.total_cents)
        except Unreachable:  # charged or not, nobody knows: a void makes it certain
            await self._payments.void(order.id)
            return await self.give_up(order, "unpaid")
        paid = order.becomes("paid")
        self._orders.save(paid)
        await self.tidy(cart)
        return paid

    async def give_up(self, order: Order, state: State) -> Order:
        ended = order.becomes(state)
        await self._catalogue.release(order.id)
        self._orders.save(ended)
        return ended

    async def tidy(self, cart: str) -> None:
        with contextlib.suppress(Unreachable):  # the order stands; a full cart is a nuisance, not a loss
            await self._cart.empty(cart)
