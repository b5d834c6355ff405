"""A port of which nobody said what it speaks: the first bytes tell, or the silence, and what is learned from both.

In: names of backends, the tuning. Out: lines of HAProxy's configuration. A client that speaks is carried at once: as
HTTP where its bytes are a request line of HTTP/1, else as bytes. One that says nothing is waited for, since an HTTP
client may be late on a busy machine, and what goes as bytes stays with its instance and is sent nowhere else when
that dies. Where the instance then speaks first (a mail server, a database), the port is remembered as one that isn't
HTTP, and nobody waits there again while this worker lives.
"""

from collections.abc import Iterable, Iterator

from madang.gateway.tuning import Tuning

# Bytes in hexadecimal, since what comes may hold anything. A method is made of capitals (and a hyphen).
CAPITAL = "(2D|4[1-9A-F]|5[0-9A])"
NEITHER_CAPITAL_NOR_SPACE = "([016-9A-F].|2[1-9ABCEF]|3.|40|5[B-F])"
LINE = 48  # bytes that are looked at: whoever speaks something else ends a line or leaves the capitals before
OTHER = f"^({CAPITAL}*{NEITHER_CAPITAL_NOR_SPACE}|(..){{0,{LINE - 1}}}0A)"
START = f"req.payload(0,0),bytes(0,{LINE}),hex"
GREETING = "res.payload(0,5)"


def request_rules(backend: str, tuning: Tuning, near: Iterable[tuple[str, str]] = ()) -> Iterator[str]:
    """For the frontend; `backend` carries HTTP, `backend`:tcp all else. `near`: other backends, by the caller."""
    yield f"tcp-request inspect-delay {tuning.look}"
    for one in dict.fromkeys((backend, *dict(near).values())):
        yield f"tcp-request content accept if {{ var({_learned(one)}) -m bool }}"
    # one condition: a part of it that can't tell yet would keep a rule behind it from being asked
    yield f"tcp-request content accept if HTTP or {{ {START} -m reg {OTHER} }}"
    yield "tcp-request content set-var(txn.silent) bool(true) if { req.len 0 }"
    # HTTP/2 without TLS stays bytes: its instances would be spoken to in HTTP/1
    for source, one in near:
        yield f"use_backend {one} if {{ src {source} }} HTTP_1.1 or {{ src {source} }} HTTP_1.0"
        yield f"use_backend {one}:tcp if {{ src {source} }}"
    yield f"use_backend {backend} if HTTP_1.1 or HTTP_1.0"
    yield f"default_backend {backend}:tcp"


def response_rules(backend: str, tuning: Tuning) -> Iterator[str]:
    """For `backend`:tcp. An HTTP server that gives a silent client up (408) has not greeted it."""
    yield f"tcp-response inspect-delay {tuning.greeting}"
    yield "tcp-response content accept unless { var(txn.silent) -m bool }"
    greeted = f"{{ {GREETING} -m found }} !{{ {GREETING} -m str HTTP/ }}"
    yield f"tcp-response content set-var({_learned(backend)}) bool(true) if {greeted}"


def _learned(backend: str) -> str:
    """Variables have letters, digits, dots and underscores; names of Services and namespaces neither of the latter."""
    return "proc.greets." + backend.removesuffix(":tcp").replace(":", ".").replace("-", "_")
