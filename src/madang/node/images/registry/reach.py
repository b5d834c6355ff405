"""Whether anybody listens where a registry should be: known within a moment, before anything patient begins.

In: a base address, and how long to wait. Out: the address to speak to, or `Unreached` with the reason. Names are looked
up in a thread, since a resolver that does not answer holds up its caller for as long as it likes. On this machine's own
addresses a registry may speak TLS or not: it is asked once without, and tells.
"""

import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from madang.node.images.registry.places import loopback

QUICK_S = 1.0  # for who has something to go on with
WHOLE_S = 5.0
TLS_ALERT = b"\x15\x03"


class Unreached(Exception):
    """Nobody was there in time; the message says why."""


def reached(base: str, within_s: float = WHOLE_S) -> str:
    """`base`, with https where it turns out to be so. Raises Unreached."""
    url = urlsplit(base)
    host, local = url.hostname or "", loopback(url.hostname or "")
    if not local and proxied(url.scheme, host):
        return base  # the proxy knows
    port = url.port or (443 if url.scheme == "https" else 80)
    found: list[object] = []
    asking = threading.Thread(target=_ask, args=(host, port, within_s, found), daemon=True)
    asking.start()
    asking.join(within_s)
    if not found:
        raise Unreached(f"{base}: no answer within {within_s:g} s")
    if isinstance(found[0], OSError):
        raise Unreached(f"{base}: {found[0].strerror or found[0]}")
    connected = found[0]
    assert isinstance(connected, socket.socket)
    with connected:
        wants_tls = local and url.scheme == "http" and speaks_tls(connected, url.netloc, within_s)
    return base.replace("http:", "https:", 1) if wants_tls else base


def proxied(scheme: str, host: str) -> bool:
    known = getproxies()
    return bool(known.get(scheme) or known.get("all")) and not proxy_bypass(host)


def speaks_tls(connected: socket.socket, host: str, within_s: float) -> bool:
    """By what it says to who speaks without."""
    address, said = connected.getpeername(), b""
    connected.settimeout(within_s)
    try:
        connected.sendall(f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        said = connected.recv(4096)
        with suppress(OSError):
            if b"\r\n\r\n" in said[-4:]:
                said += connected.recv(4096)
    except TimeoutError:
        return False
    except OSError:
        pass  # hung up on us
    if said.startswith(b"HTTP/"):
        return b" 400 " in said[:16] and b"HTTPS" in said
    return said.startswith(TLS_ALERT) or _shakes_hands(address, within_s)


def _shakes_hands(address: tuple[str, int], within_s: float) -> bool:
    """For who hangs up without a word. Whose certificate it is does not matter yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(address[:2], within_s) as raw, context.wrap_socket(raw):
            return True
    except OSError:
        return False


def _ask(host: str, port: int, within_s: float, found: list[object]) -> None:
    until = time.monotonic() + within_s
    try:
        connected = socket.create_connection((host, port), within_s)
    except OSError as error:
        found.append(error)
        return
    if time.monotonic() > until:
        connected.close()  # nobody waits any more
    else:
        found.append(connected)
