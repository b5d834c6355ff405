"""The rules of the Gateway API that its schemas write as expressions, as plain conditions.

In: a Gateway, GatewayClass or HTTPRoute whose schema found nothing blocking, and the old one (None on create). Out:
causes with the sentences of the published definitions (v1). Those that only concern what nothing here acts on are
left to the schema.
"""

from collections.abc import Iterator
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import invalid
from madang.ports.objects import Obj

Part = dict[str, Any]
_LITERAL = "when type one of ['Exact', 'PathPrefix']"
# What a path may not hold, unless it is a regular expression.
_NOT_INSIDE = ("//", "/./", "/../", "%2f", "%2F", "#")
_NOT_AT_END = ("/..", "/.")
_FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
}


def check_expressions(kind: str, new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    if kind == "Gateway":
        return list(_listeners(spec.get("listeners") or []))
    if kind == "HTTPRoute":
        return [c for i, rule in enumerate(spec.get("rules") or ()) for c in _rule(rule, f"spec.rules[{i}]")]
    name = spec.get("controllerName")
    if old is not None and name != (old.get("spec") or {}).get("controllerName"):
        return [invalid("spec.controllerName", name, "Value is immutable")]
    return []


def _broken(path: str, words: str) -> Cause:
    """Of a whole object or list: the API does not repeat it."""
    return Cause(path, "FieldValueInvalid", f"Invalid value: {words}")


def _listeners(listeners: list[Part]) -> Iterator[Cause]:
    path = "spec.listeners"
    if any(_protocol(x) in ("HTTP", "TCP", "UDP") and x.get("tls") is not None for x in listeners):
        yield _broken(path, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']")
    secure = [x for x in listeners if _protocol(x) == "HTTPS" and x.get("tls") is not None]
    if any(x["tls"].get("mode", "Terminate") not in ("", "Terminate") for x in secure):
        yield _broken(path, "tls mode must be Terminate for protocol HTTPS")
    if any(_protocol(x) in ("TCP", "UDP") and x.get("hostname") for x in listeners):
        yield _broken(path, "hostname must not be specified for protocols ['TCP', 'UDP']")
    names = [x.get("name") for x in listeners]
    if len(set(names)) < len(names):
        yield _broken(path, "Listener name must be unique within the Gateway")
    places = [(x.get("port"), _protocol(x), x.get("hostname")) for x in listeners]
    if len(set(places)) < len(places):
        yield _broken(path, "Combination of port, protocol and hostname must be unique for each listener")


def _protocol(listener: Part) -> str:
    return str(listener.get("protocol", ""))


def _rule(rule: Part, path: str) -> Iterator[Cause]:
    filters, backends = rule.get("filters") or [], rule.get("backendRefs") or []
    if backends and any(f.get("type") == "RequestRedirect" for f in filters):
        yield _broken(path, "RequestRedirect filter must not be used together with backendRefs")
    for i, match in enumerate(rule.get("matches") or ()):
        if (place := match.get("path")) is not None:
            yield from _path(place, f"{path}.matches[{i}].path")
    for i, one in enumerate(filters):
        yield from _filter(one, f"{path}.filters[{i}]")
    kinds = {f.get("type") for f in filters}
    if {"RequestRedirect", "URLRewrite"} <= kinds:
        words = "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both"
        yield _broken(f"{path}.filters", words)
    for i, backend in enumerate(backends):
        service = not backend.get("group") and backend.get("kind", "Service") == "Service"
        if service and backend.get("port") is None:
            yield _broken(f"{path}.backendRefs[{i}]", "Must have port for Service reference")


def _path(place: Part, path: str) -> Iterator[Cause]:
    kind, value = place.get("type", "PathPrefix"), place.get("value", "/")
    if kind not in ("Exact", "PathPrefix"):
        return
    if not value.startswith("/"):
        yield _broken(path, f"value must be an absolute path and start with '/' {_LITERAL}")
    for text in _NOT_INSIDE:
        if text in value:
            yield _broken(path, f"must not contain '{text}' {_LITERAL}")
    for text in _NOT_AT_END:
        if value.endswith(text):
            yield _broken(path, f"must not end with '{text}' {_LITERAL}")


def _filter(one: Part, path: str) -> Iterator[Cause]:
    for kind, field in _FILTERS.items():
        given, wanted = one.get(field) is not None, one.get("type") == kind
        if given and not wanted:
            yield _broken(path, f"filter.{field} must be nil if the filter.type is not {kind}")
        if wanted and not given:
            yield _broken(path, f"filter.{field} must be specified for {kind} filter.type")
