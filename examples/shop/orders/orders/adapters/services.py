"""The ports `Cart`, `Catalogue` and `Payments` over HTTP, each call with a deadline: a slow peer holds nothing up."""

import httpx

from orders.adapters.peers import address
from orders.application.ports import SoldOut, Unreachable
from orders.domain.order import Line

DEADLINE = httpx.Timeout(3, connect=1)


class Peer:
    def __init__(self, client: httpx.AsyncClient, service: str) -> None:
        self._client = client
        self._base = address(service)

    async def ask(self, method: str, path: str, body: dict[str, object] | None = None) -> httpx.Response:
        try:
            answer = await self._client.request(method, self._base + path, json=body)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._base}: {type(error).__name__}") from error
        if answer.status_code >= 500:
            raise Unreachable(f"{self._base}: {answer.status_code}")
        return answer


class HttpCart(Peer):
    async def lines(self, cart: str) -> dict[int, int]:
        answer = await self.ask("GET", f"/carts/{cart}")
        return {item["product"]: item["quantity"] for item in answer.json()["items"]}

    async def empty(self, cart: str) -> None:
        await self.ask("DELETE", f"/carts/{cart}")


class HttpCatalogue(Peer):
    async def reserve(self, order_id: str, product: int, quantity: int) -> Line:
        answer = await self.ask("POST", f"/products/{product}/reserve", {"order": order_id, "quantity": quantity})
        if answer.status_code in (404, 409):
            raise SoldOut(answer.json()["error"])
        return Line(product, quantity, answer.json()["price_cents"])

    async def release(self, order_id: str) -> None:
        await self.ask("DELETE", f"/reservations/{order_id}")


class HttpPayments(Peer):
    async def charge(self, order_id: str, cents: int) -> None:
        answer = await self.ask("POST", "/charges", {"order": order_id, "cents": cents})
        if answer.status_code != 200:
            raise Unreachable(f"payments: {answer.status_code}")

    async def void(self, order_id: str) -> None:
        await self.ask("DELETE", f"/charges/{order_id}")
