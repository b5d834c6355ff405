"""Who asks: at the inner door whoever may open the socket, at the outer one the holder of a token.

In: the Authorization header. Out: a `User`, or the API's 401. Every authenticated user may do everything (what
Kubernetes calls AlwaysAllow): roles are not among the kinds yet.
"""

import hmac
import ipaddress
from functools import lru_cache

from madang.api.desk import Desk
from madang.api.direct import ADMIN
from madang.ports.api import User
from madang.ports.errors import Forbidden, StatusError

HOSTS = frozenset({"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"})
REMEMBERED = 1000
REMEMBERED_S = 10.0  # a verified token is believed so long without looking again


class Doorkeeper:
    def __init__(self, desk: Desk, admin_token: str) -> None:
        self._desk = desk
        self._admin = admin_token.encode()
        self._known: dict[str, tuple[float, User]] = {}

    def user(self, authorization: str) -> User:
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthorized()
        if self._admin and hmac.compare_digest(token.encode(), self._admin):
            return ADMIN
        now = self._desk.clock.now_s()
        known = self._known.get(token)
        if known is not None and known[0] > now:
            return known[1]
        found = self._desk.tokens.user(token, self._desk.store, now) if self._desk.tokens else None
        if found is None:
            raise unauthorized()
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = (now + REMEMBERED_S, found)
        return found


@lru_cache(256)
def check_host(header: str) -> None:
    """A name that somebody else's page could be served under may not stand for us (DNS rebinding); an address may."""
    host = header.rsplit(":", 1)[0] if header.rpartition(":")[2].isdigit() else header
    host = host.strip("[]").lower().removesuffix(".cluster.local")
    if not host or host in HOSTS:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise Forbidden(
            f'the API is not known as "{host}": ask for it by address or as one of {", ".join(sorted(HOSTS))}'
        ) from None


def unauthorized() -> StatusError:
    return StatusError("Unauthorized", code=401, reason="Unauthorized")
