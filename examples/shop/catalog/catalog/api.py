"""The upper layer: the catalogue over HTTP."""

import os
import socket

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.model import NoSuchProduct, NotEnough
from catalog.repository import Repository
from catalog.service import Catalogue

WHO = {"x-instance": os.environ.get("HOSTNAME") or socket.gethostname()}
catalogue = Catalogue(Repository(os.path.join(os.environ.get("DATA", "/data"), "catalog.db")))


def products(request: Request) -> Response:
    return JSONResponse([p.json() for p in catalogue.products()], headers=WHO)


def product(request: Request) -> Response:
    return JSONResponse(catalogue.product(request.path_params["id"]).json(), headers=WHO)


async def reserve(request: Request) -> Response:
    wish = await request.json()
    left = catalogue.reserve(str(wish["order"]), request.path_params["id"], int(wish["quantity"]))
    return JSONResponse(left.json(), headers=WHO)


def release(request: Request) -> Response:
    return JSONResponse({"released": catalogue.release(request.path_params["order"])}, headers=WHO)


def work(request: Request) -> Response:
    """Burns CPU for so many milliseconds: something to scale for."""
    import time

    until = time.process_time() + min(int(request.query_params.get("ms", "20")), 1000) / 1000
    while time.process_time() < until:
        sum(range(1000))
    return JSONResponse({"worked": True}, headers=WHO)


def well(request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=WHO)


def ready(request: Request) -> Response:
    catalogue.products()
    return JSONResponse({"status": "ok"}, headers=WHO)


def refused(status: int):
    return lambda request, error: JSONResponse({"error": str(error)}, status, headers=WHO)


app = Starlette(
    routes=[
        Route("/products", products),
        Route("/products/{id:int}", product),
        Route("/products/{id:int}/reserve", reserve, methods=["POST"]),
        Route("/reservations/{order}", release, methods=["DELETE"]),
        Route("/work", work),
        Route("/healthz", well),
        Route("/readyz", ready),
    ],
    exception_handlers={NoSuchProduct: refused(404), NotEnough: refused(409), ValueError: refused(400)},
)
