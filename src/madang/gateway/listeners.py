"""Gateways of our class -> HTTP listeners.

In: GatewayClasses and Gateways. Out: listeners with the conditions that the Gateway API wants of each. Two listeners
of one port and host name are in conflict: the older Gateway's (then the first by name) keeps it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from madang.gateway.desired import Bind, Owner
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN, Settings

GROUP = "gateway.networking.k8s.io"
CLASSES, GATEWAYS, ROUTES = f"gatewayclasses.{GROUP}", f"gateways.{GROUP}", f"httproutes.{GROUP}"
CONTROLLER = f"{DOMAIN}/gateway"


@dataclass(slots=True)
class Listener:
    """One listener of one Gateway. `fault` is (condition, reason, message) of why it does not serve."""

    gateway: Obj
    spec: Obj
    bind: Bind
    fault: tuple[str, str, str] | None = None
    attached: set[tuple[str, str]] = field(default_factory=set)

    @property
    def host(self) -> str:
        return str(self.spec.get("hostname") or "").lower()

    @property
    def serves(self) -> bool:
        return self.fault is None


def ours(classes: Iterable[Obj]) -> set[str]:
    return {c["metadata"]["name"] for c in classes if c["spec"].get("controllerName") == CONTROLLER}


def listeners(gateways: Iterable[Obj], settings: Settings) -> list[Listener]:
    """In order of age, so that who came first keeps a contested port."""
    found: list[Listener] = []
    taken: dict[tuple[int, str], Listener] = {}
    for gateway in sorted(gateways, key=age):
        meta = gateway["metadata"]
        owner = Owner(GATEWAYS, meta.get("namespace", ""), meta["name"])
        for spec in gateway["spec"].get("listeners") or ():
            what = f"listener {spec['name']} (port {spec['port']})"
            one = Listener(gateway, spec, Bind(settings.listen, spec["port"], owner, what), _fault(spec))
            if one.serves and (first := taken.setdefault((spec["port"], one.host), one)) is not one:
                other = first.gateway["metadata"]
                text = f"port {spec['port']} with this hostname belongs to Gateway {other['namespace']}/{other['name']}"
                one.fault = ("Conflicted", "HostnameConflict", text)
            found.append(one)
    return found


def age(obj: Obj) -> tuple[str, str, str]:
    meta = obj["metadata"]
    return meta.get("creationTimestamp") or "", meta.get("namespace", ""), meta["name"]


def allows(listener: Listener, route: Obj, namespaces: Sequence[Obj]) -> bool:
    """Whether the route's namespace may attach (allowedRoutes.namespaces; the default is the Gateway's own)."""
    rule = (listener.spec.get("allowedRoutes") or {}).get("namespaces") or {}
    place = route["metadata"].get("namespace", "")
    if rule.get("from", "Same") == "All":
        return True
    if rule.get("from", "Same") == "Same":
        return bool(place == listener.gateway["metadata"].get("namespace", ""))
    chosen = next((n for n in namespaces if n["metadata"]["name"] == place), None)
    return chosen is not None and selects(rule.get("selector") or {}, chosen["metadata"].get("labels") or {})


def selects(selector: Obj, labels: Obj) -> bool:
    """A LabelSelector (meta/v1); an empty one selects everything."""
    if any(labels.get(k) != v for k, v in (selector.get("matchLabels") or {}).items()):
        return False
    for need in selector.get("matchExpressions") or ():
        value, values = labels.get(need["key"]), need.get("values") or ()
        holds = {
            "In": value is not None and value in values,
            "NotIn": value is None or value not in values,
            "Exists": need["key"] in labels,
            "DoesNotExist": need["key"] not in labels,
        }
        if not holds.get(need["operator"], False):
            return False
    return True


def _fault(spec: Obj) -> tuple[str, str, str] | None:
    if spec["protocol"] != "HTTP":
        text = f"protocol {spec['protocol']} is not carried here: only HTTP is"
        return "Accepted", "UnsupportedProtocol", text
    kinds = (spec.get("allowedRoutes") or {}).get("kinds")
    if kinds and not any(k["kind"] == "HTTPRoute" and k.get("group", GROUP) == GROUP for k in kinds):
        return "ResolvedRefs", "InvalidRouteKinds", "only HTTPRoute can be attached here"
    return None
