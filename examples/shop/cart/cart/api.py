"""Carts over HTTP."""

import os
import socket

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cart.store import Carts

WHO = {"x-instance": os.environ.get("HOSTNAME") or socket.gethostname()}
carts = Carts(os.path.join(os.environ.get("DATA", "/data"), "cart.db"))


def show(request: Request) -> Response:
    return answer(request.path_params["cart"])


async def put(request: Request) -> Response:
    quantity = int((await request.json())["quantity"])
    if not 0 <= quantity <= 99:
        return JSONResponse({"error": f"quantity: expected 0 to 99, found {quantity}"}, 400, headers=WHO)
    carts.put(request.path_params["cart"], request.path_params["product"], quantity)
    return answer(request.path_params["cart"])


def empty(request: Request) -> Response:
    carts.empty(request.path_params["cart"])
    return answer(request.path_params["cart"])


def answer(cart: str) -> Response:
    items = [{"product": product, "quantity": quantity} for product, quantity in carts.items(cart).items()]
    return JSONResponse({"cart": cart, "items": items}, headers=WHO)


def well(request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=WHO)


def ready(request: Request) -> Response:
    carts.items("")
    return JSONResponse({"status": "ok"}, headers=WHO)


app = Starlette(
    routes=[
        Route("/carts/{cart}", show),
        Route("/carts/{cart}", empty, methods=["DELETE"]),
        Route("/carts/{cart}/items/{product:int}", put, methods=["PUT"]),
        Route("/healthz", well),
        Route("/readyz", ready),
    ]
)
