"""/healthz, /livez and /readyz: `ok` as long as the store takes reads; `?verbose` says so in a list."""

from madang.api.desk import Desk
from madang.wire import answer
from madang.wire.answer import Send
from madang.wire.request import Request

PATHS = frozenset({"healthz", "livez", "readyz"})
CHECKS = ("ping", "store")


async def send(desk: Desk, request: Request, send: Send) -> None:
    parts = request.path.strip("/").split("/")
    if len(parts) > 1:
        known = len(parts) == 2 and parts[1] in CHECKS
        await answer.send_text(send, 200 if known else 404, "ok" if known else "404 page not found\n")
        return
    assert desk.store.revision >= 0
    if "verbose" not in request.query:
        await answer.send_text(send, 200, "ok")
        return
    lines = "".join(f"[+]{check} ok\n" for check in CHECKS)
    await answer.send_text(send, 200, f"{lines}{parts[0]} check passed\n")
