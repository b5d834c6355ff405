"""What became of Gateways, routes and Services, as the Gateway API wants it told.

In: the plan, which sockets could not be opened and why, the hour. Out: patches of status, only where something has
changed. Reasons are the Gateway API's own (v1: GatewayConditionReason, ListenerConditionReason,
RouteConditionReason); `lastTransitionTime` moves only with a condition's status.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.instant import stamp
from madang.gateway.listeners import CLASSES, CONTROLLER, GATEWAYS, GROUP, ROUTES, Listener
from madang.gateway.routes import Attachment, Plan
from madang.gateway.services import SERVICES
from madang.ports.actions import Patch
from madang.ports.objects import Kind, Obj, ref
from madang.ports.settings import DOMAIN, Settings

# From the name of a socket to why it is not open.
Unopened = Mapping[str, str]


def statuses(plan: Plan, unopened: Unopened, settings: Settings, now_s: float) -> list[Patch]:
    found: list[Patch] = []
    for one in plan.classes:
        accepted = _condition(one, "Accepted", True, "Accepted", "Madang carries Gateways of this class")
        found += _changed(CLASSES, one, {"conditions": [accepted]}, now_s)
    for gateway in _gateways(plan.listeners):
        mine = [li for li in plan.listeners if li.gateway is gateway]
        found += _changed(GATEWAYS, gateway, _gateway(gateway, mine, unopened, settings), now_s)
    for route in plan.routes:
        found += _route(route, [a for a in plan.attachments if a.route is route], now_s)
    for service in plan.services:
        found += _service(service, plan, unopened, settings)
    return found


def _gateways(listeners: Iterable[Listener]) -> list[Obj]:
    return list({ref(li.gateway): li.gateway for li in listeners}.values())


def _gateway(gateway: Obj, listeners: Sequence[Listener], unopened: Unopened, settings: Settings) -> Obj:
    told = [_listener(gateway, li, unopened) for li in listeners]
    fine = [li for li in listeners if li.serves and li.bind.name not in unopened]
    if len(fine) == len(listeners):
        accepted = ("Accepted", "Gateway is accepted")
    else:
        bad = ", ".join(li.spec["name"] for li in listeners if li not in fine)
        accepted = ("ListenersNotValid", f"these listeners do not serve: {bad}")
    programmed = ("Programmed", "Gateway is programmed") if fine else ("Invalid", "no listener serves")
    return {
        "addresses": [{"type": "IPAddress", "value": shown(settings.listen)}],
        "conditions": [
            _condition(gateway, "Accepted", bool(fine), *accepted),
            _condition(gateway, "Programmed", bool(fine), *programmed),
        ],
        "listeners": told,
    }


def _listener(gateway: Obj, listener: Listener, unopened: Unopened) -> Obj:
    fault = listener.fault
    if fault is None and listener.bind.name in unopened:
        fault = ("Accepted", "PortUnavailable", unopened[listener.bind.name])
    usual = {
        "Accepted": (True, "Accepted", "Listener is accepted"),
        "Conflicted": (False, "NoConflicts", "no other listener is in the way"),
        "Programmed": (True, "Programmed", "Listener is programmed"),
        "ResolvedRefs": (True, "ResolvedRefs", "all references are resolved"),
    }
    if fault is not None:
        usual["Programmed"] = (False, "Invalid", fault[2])
        usual[fault[0]] = (fault[0] == "Conflicted", fault[1], fault[2])
    return {
        "name": listener.spec["name"],
        "supportedKinds": [{"group": GROUP, "kind": "HTTPRoute"}],
        "attachedRoutes": len(listener.attached),
        "conditions": [_condition(gateway, name, *told) for name, told in sorted(usual.items())],
    }


def _route(route: Obj, attachments: Sequence[Attachment], now_s: float) -> list[Patch]:
    before = (route.get("status") or {}).get("parents") or []
    others = [p for p in before if p.get("controllerName") != CONTROLLER]
    mine = [_parent(a) for a in attachments]
    if not mine and len(others) == len(before):
        return []
    return _changed(ROUTES, route, {"parents": [*others, *mine]}, now_s)


def _parent(attachment: Attachment) -> Obj:
    route, unresolved = attachment.route, attachment.unresolved
    if unresolved:
        resolved = (False, unresolved[0].reason, "; ".join(u.message for u in unresolved))
    else:
        resolved = (True, "ResolvedRefs", "all references are resolved")
    return {
        "parentRef": attachment.parent,
        "controllerName": CONTROLLER,
        "conditions": [
            _condition(route, "Accepted", attachment.accepted, attachment.reason, attachment.message),
            _condition(route, "ResolvedRefs", *resolved),
        ],
    }


def _service(service: Obj, plan: Plan, unopened: Unopened, settings: Settings) -> list[Patch]:
    """A published Service shows where: only once at least one of its ports is open; the closed ones are named."""
    if service["spec"].get("type") != "LoadBalancer":
        return []
    place = (SERVICES, *ref(service))
    binds = [b for f in plan.desired.frontends for b in f.binds if b.owner == place and b.what.startswith("published")]
    opened = {b.port for b in binds if b.name not in unopened}
    ingress: list[Obj] = [{"ip": shown(settings.listen), "ipMode": "Proxy"}] if opened else []
    wanted = [p["port"] for p in service["spec"].get("ports") or () if p.get("protocol", "TCP") == "TCP"]
    if ingress and not opened.issuperset(wanted):
        ingress[0]["ports"] = [_port(number, number in opened) for number in dict.fromkeys(wanted)]
    before = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if before == ingress:
        return []
    return [_patch(SERVICES, service, {"loadBalancer": {"ingress": ingress or None}})]


def _port(number: int, opened: bool) -> Obj:
    return {"port": number, "protocol": "TCP", **({} if opened else {"error": f"{DOMAIN}/PortNotOpened"})}


def shown(listen: str) -> str:
    """An address that a person can use: `every` is none."""
    return "127.0.0.1" if listen in ("0.0.0.0", "::", "") else listen


def _condition(obj: Obj, type_: str, holds: bool, reason: str, message: str) -> Obj:
    return {
        "type": type_,
        "status": "True" if holds else "False",
        "reason": reason,
        "message": message,
        "observedGeneration": obj["metadata"].get("generation", 0),
    }


def _changed(kind: Kind, obj: Obj, wanted: Obj, now_s: float) -> list[Patch]:
    before = obj.get("status") or {}
    timed = {name: _timed(value, before.get(name), now_s) for name, value in wanted.items()}
    if all(before.get(name) == value for name, value in timed.items()):
        return []
    return [_patch(kind, obj, timed)]


def _patch(kind: Kind, obj: Obj, status: Obj) -> Patch:
    namespace, name = ref(obj)
    return Patch(kind, namespace, name, {"status": status}, subresource="status")


def _timed(value: object, before: object, now_s: float) -> object:
    """Every condition in it with the time of its last change of status."""
    if isinstance(value, dict):
        known = before if isinstance(before, dict) else {}
        made = {k: _timed(v, known.get(k), now_s) for k, v in value.items()}
        if "observedGeneration" in value:
            same = known.get("status") == value["status"] and known.get("lastTransitionTime")
            made["lastTransitionTime"] = same or stamp(now_s)
        return made
    if isinstance(value, list):
        listed = before if isinstance(before, list) else []
        return [_timed(v, _counterpart(v, listed), now_s) for v in value]
    return value


def _counterpart(value: object, listed: Sequence[object]) -> object:
    """The item of the old list that tells of the same thing."""
    if not isinstance(value, dict):
        return None
    key = next((k for k in ("type", "name", "parentRef") if k in value), None)
    return next((o for o in listed if key and isinstance(o, dict) and o.get(key) == value[key]), None)
