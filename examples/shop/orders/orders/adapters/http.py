"""The way in: orders over HTTP. Here the adapters are plugged into the use cases."""

import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orders.adapters.services import DEADLINE, HttpCart, HttpCatalogue, HttpPayments
from orders.adapters.sqlite import SqliteOrders
from orders.application.ordering import Ordering
from orders.application.ports import Unreachable
from orders.domain.order import Order

log = logging.getLogger("uvicorn.error")  # beside the server's own lines
WHO = {"x-instance": os.environ.get("HOSTNAME") or socket.gethostname()}


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Ordering]]:
    async with httpx.AsyncClient(timeout=DEADLINE) as client:
        orders = SqliteOrders(os.path.join(os.environ.get("DATA", "/data"), "orders.db"))
        ordering = Ordering(
            orders, HttpCart(client, "cart"), HttpCatalogue(client, "catalog"), HttpPayments(client, "payments")
        )
        yield {"ordering": ordering}


def shown(order: Order) -> dict[str, object]:
    return {"id": order.id, "state": order.state, "total_cents": order.total_cents, "lines": len(order.lines)}


async def place(request: Request) -> Response:
    wish = await request.json()
    order = await request.state.ordering.place(str(wish["cart"]), str(wish["key"]))
    log.info("order %s: %s, %d cents", order.id, order.state, order.total_cents)
    return JSONResponse(shown(order), 201 if order.state == "paid" else 409, headers=WHO)


def of_cart(request: Request) -> Response:
    return JSONResponse(
        [shown(o) for o in request.state.ordering.of_cart(request.query_params.get("cart", ""))], headers=WHO
    )


def well(request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=WHO)


def ready(request: Request) -> Response:
    request.state.ordering.of_cart("")
    return JSONResponse({"status": "ok"}, headers=WHO)


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/orders", place, methods=["POST"]),
        Route("/orders", of_cart),
        Route("/healthz", well),
        Route("/readyz", ready),
    ],
    exception_handlers={Unreachable: lambda request, error: JSONResponse({"error": str(error)}, 503, headers=WHO)},
)
