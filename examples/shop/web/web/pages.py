"""The shop over HTTP: pages and forms. What a peer cannot answer is said on the page; the rest stays usable."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from web import html
from web.peers import address

HERE = os.environ.get("HOSTNAME") or socket.gethostname()
PAGE_S = 2.0  # a page waits no longer for a part of it
NONE: dict[str, Any] = {}
peers: httpx.AsyncClient


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    global peers
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30)
    async with httpx.AsyncClient(timeout=httpx.Timeout(5, connect=1), limits=limits) as peers:
        yield


async def ask(service: str, method: str, path: str, **more: Any) -> tuple[Any, str]:
    """(the answer or None, which instance gave it or why there is none)."""
    try:
        answer = await peers.request(method, address(service) + path, **more)
    except httpx.HTTPError as error:
        return None, f"{service} does not answer ({type(error).__name__})"
    who = answer.headers.get("x-instance", "?")
    if answer.status_code >= 500:
        return None, f"{service} failed ({answer.status_code})"
    return answer.json(), who


def visitor(request: Request) -> str:
    return request.cookies.get("cart") or secrets.token_hex(8)


async def home(request: Request) -> Response:
    cart = visitor(request)
    (products, catalog), (content, cart_by), (orders, orders_by) = await asyncio.gather(
        ask("catalog", "GET", "/products", timeout=PAGE_S),
        ask("cart", "GET", f"/carts/{cart}", timeout=PAGE_S),
        ask("orders", "GET", "/orders", params={"cart": cart}, timeout=PAGE_S),
    )
    answered = {"web": HERE, "catalog": catalog, "cart": cart_by, "orders": orders_by}
    items = {i["product"]: i["quantity"] for i in (content or NONE).get("items", ())}
    page = html.shop(products, items, orders, answered, request.query_params.get("said", ""))
    response = HTMLResponse(page, headers={"x-instance": HERE})
    response.set_cookie("cart", cart, httponly=True, samesite="lax", max_age=30 * 86400)
    return response


async def put(request: Request) -> Response:
    form = await request.form()
    product, quantity = int(str(form["product"])), int(str(form.get("quantity", "1")))
    cart = visitor(request)
    _, who = await ask("cart", "PUT", f"/carts/{cart}/items/{product}", json={"quantity": quantity})
    return back(cart, "" if _ is not None else who)


async def order(request: Request) -> Response:
    cart = visitor(request)
    key = str((await request.form()).get("key") or secrets.token_hex(8))
    answer, who = await ask("orders", "POST", "/orders", json={"cart": cart, "key": key})
    said = who if answer is None else answer.get("error") or html.OUTCOMES.get(answer.get("state"), "")
    return back(cart, said)


async def buy(request: Request) -> Response:
    """One purchase in one request, for programs that shop: {"product": 1, "quantity": 1}."""
    wish = await request.json()
    cart = secrets.token_hex(8)
    _, who = await ask("cart", "PUT", f"/carts/{cart}/items/{wish['product']}", json={"quantity": wish["quantity"]})
    if _ is None:
        return JSONResponse({"error": who}, 503)
    answer, who = await ask("orders", "POST", "/orders", json={"cart": cart, "key": cart})
    if answer is None:
        return JSONResponse({"error": who}, 503)
    return JSONResponse(answer, 201 if answer.get("state") == "paid" else 409)


def back(cart: str, said: str) -> Response:
    response = RedirectResponse(f"/?said={said}" if said else "/", 303)
    response.set_cookie("cart", cart, httponly=True, samesite="lax", max_age=30 * 86400)
    return response


def well(request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers={"x-instance": HERE})


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/", home),
        Route("/cart", put, methods=["POST"]),
        Route("/order", order, methods=["POST"]),
        Route("/buy", buy, methods=["POST"]),
        Route("/healthz", well),
        Route("/readyz", well),
    ],
)
