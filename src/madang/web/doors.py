"""What each request must show before anything else is looked at. Pure.

In: method, path, headers of a request, the courtyard's keys and the dashboard's own port. Out: `Pass`, or a `Refused`
with its status and why. The headers that every answer carries stand here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from madang.web.keys import COOKIE, Keys

HOSTS = ("127.0.0.1", "localhost")
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
TOKEN = "x-madang-token"
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Pass:
    """`session` is empty where none was needed: the way in, the page's own pictures and scripts."""

    session: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    status: int
    why: str


def admit(method: str, path: str, headers: Mapping[str, str], keys: Keys, port: int, now_s: float) -> Pass | Refused:
    """`path` is what stands behind the dashboard's own path. Header names are in lower case."""
    if headers.get("host", "") not in {f"{host}:{port}" for host in HOSTS}:
        return Refused(421, "host")
    if path.startswith("enter/"):  # a HEAD, of something that only looks ahead, would use the link up
        return Pass() if method == "GET" else Refused(405, "method")
    if path.startswith("static/"):
        return Pass() if method in ("GET", "HEAD") else Refused(405, "method")
    session = cookie(headers.get("cookie", ""))
    if not keys.session_holds(session, now_s):
        return Refused(401, "session")
    if method in CHANGING:
        if headers.get("origin", "") not in {f"http://{host}:{port}" for host in HOSTS}:
            return Refused(403, "origin")
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Refused(403, "origin")
        if not keys.token_holds(session, headers.get(TOKEN, "")):
            return Refused(403, "token")
    elif method not in ("GET", "HEAD"):
        return Refused(405, "method")
    return Pass(session)


def cookie(header: str, name: str = COOKIE) -> str:
    """By hand: another program of this host may have set cookies that no parser takes."""
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""
