"""Charges over HTTP, and the switch: POST /switch {"mode": "ok|slow|flaky|down"}.

Mode and charges stand in SQLite, so that all instances agree and a restart changes nothing.
"""

import asyncio
import os
import random
import socket
import sqlite3

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODES = {
    "ok": "every charge succeeds at once",
    "slow": "every charge takes two seconds",
    "flaky": "one charge in three fails",
    "down": "every charge fails",
}
WHO = {"x-instance": os.environ.get("HOSTNAME") or socket.gethostname()}
PATH = os.path.join(os.environ.get("DATA", "/data"), "payments.db")


def rows() -> sqlite3.Connection:
    connection = sqlite3.connect(PATH, timeout=5, isolation_level=None)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=5000")
    return connection


def prepare() -> None:
    os.makedirs(os.path.dirname(PATH), exist_ok=True)
    at = rows()
    at.execute("PRAGMA journal_mode=WAL")
    at.execute(
        "CREATE TABLE IF NOT EXISTS charge "
        "(order_id TEXT PRIMARY KEY, cents INTEGER NOT NULL, voided INTEGER NOT NULL DEFAULT 0)"
    )
    at.execute("CREATE TABLE IF NOT EXISTS switch (id INTEGER PRIMARY KEY CHECK (id = 1), mode TEXT NOT NULL)")
    first = os.environ.get("PAYMENTS_MODE", "ok")
    at.execute("INSERT OR IGNORE INTO switch VALUES (1, ?)", (first if first in MODES else "ok",))
    at.close()


def mode() -> str:
    at = rows()
    try:
        return at.execute("SELECT mode FROM switch").fetchone()[0]
    finally:
        at.close()


def turn(wanted: str) -> None:
    at = rows()
    at.execute("UPDATE switch SET mode = ?", (wanted,))
    at.close()


async def charge(request: Request) -> Response:
    """One order is charged once, however often it is asked."""
    wish = await request.json()
    now = mode()
    if now == "slow":
        await asyncio.sleep(2)
    if now == "down" or (now == "flaky" and random.random() < 1 / 3):
        return JSONResponse({"error": "the bank does not answer"}, 503, headers=WHO)
    at = rows()
    try:
        at.execute("INSERT OR IGNORE INTO charge VALUES (?, ?, 0)", (str(wish["order"]), int(wish["cents"])))
        voided = at.execute("SELECT voided FROM charge WHERE order_id = ?", (str(wish["order"]),)).fetchone()[0]
    finally:
        at.close()
    return JSONResponse({"order": wish["order"], "charged": not voided}, 409 if voided else 200, headers=WHO)


def void(request: Request) -> Response:
    """Undoes a charge; one that was still on its way will be refused when it comes."""
    at = rows()
    try:
        at.execute(
            "INSERT INTO charge VALUES (?, 0, 1) ON CONFLICT (order_id) DO UPDATE SET voided = 1",
            (request.path_params["order"],),
        )
    finally:
        at.close()
    return JSONResponse({"order": request.path_params["order"], "voided": True}, headers=WHO)


async def switch(request: Request) -> Response:
    if request.method == "POST":
        wanted = str((await request.json()).get("mode"))
        if wanted not in MODES:
            return JSONResponse({"error": f"mode: expected one of {', '.join(MODES)}, found {wanted!r}"}, 400)
        turn(wanted)
    now = mode()
    return JSONResponse({"mode": now, "means": MODES[now], "modes": MODES}, headers=WHO)


def well(request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=WHO)


def ready(request: Request) -> Response:
    mode()
    return JSONResponse({"status": "ok"}, headers=WHO)


prepare()
app = Starlette(
    routes=[
        Route("/charges", charge, methods=["POST"]),
        Route("/charges/{order}", void, methods=["DELETE"]),
        Route("/switch", switch, methods=["GET", "POST"]),
        Route("/healthz", well),
        Route("/readyz", ready),
    ]
)
