"""How a Service port is carried: as HTTP (with retries), as bytes, or by a look at the first bytes.

In: a Service port and its Service's annotations. Out: a mode. The table is ordered, the first match decides.
"""

from collections.abc import Callable, Mapping

from madang.gateway.desired import Mode
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

PROTOCOL = f"{DOMAIN}/protocol"
HTTP_APPS = {"http", "http/1.1", "kubernetes.io/ws"}
H2C_APPS = {"kubernetes.io/h2c", "grpc", "h2c"}
# On these the server speaks first or the bytes are never HTTP: a look would cost each connection the wait.
NEVER_HTTP = {21, 22, 25, 110, 143, 465, 587, 993, 995, 1433, 3306, 5432, 5672, 6379, 6443, 9092, 11211, 27017}
NOT_HTTP_NAMES = ("https", "tcp", "tls", "grpc", "redis", "mysql", "postgres", "mongo", "amqp", "kafka", "smtp", "ssh")


def declared(annotations: Mapping[str, str]) -> str:
    return str(annotations.get(PROTOCOL, "")).lower()


RULES: tuple[tuple[str, Mode, Callable[[Obj, Mapping[str, str]], bool]], ...] = (
    ("the user says so", "http", lambda p, a: declared(a) == "http"),
    ("the user says so", "tcp", lambda p, a: declared(a) == "tcp"),
    ("appProtocol is HTTP", "http", lambda p, a: p.get("appProtocol") in HTTP_APPS),
    ("appProtocol is anything else", "tcp", lambda p, a: bool(p.get("appProtocol"))),
    ("the name says that it is not HTTP", "tcp", lambda p, a: p.get("name", "").startswith(NOT_HTTP_NAMES)),
    ("the name says HTTP", "http", lambda p, a: p.get("name", "").startswith("http")),
    ("a well-known port of another protocol", "tcp", lambda p, a: p["port"] in NEVER_HTTP),
    ("nobody said: the first bytes tell", "sniff", lambda p, a: True),
)


def mode(port: Obj, annotations: Mapping[str, str]) -> Mode:
    return next(chosen for _, chosen, holds in RULES if holds(port, annotations))


def speaks_h2(port: Obj) -> bool:
    """Whether the instances want HTTP/2 without TLS (for routes; a Service address passes their bytes)."""
    return port.get("appProtocol") in H2C_APPS
