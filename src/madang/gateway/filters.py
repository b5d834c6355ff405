"""HTTPRoute filters -> lines of a backend.

In: a rule's filters and timeouts, and the prefix that its match took. Out: `Filter` values. Filters live in a backend
of their own, so that requests of other routes never look at them.
"""

import re
from collections.abc import Iterable

from madang.gateway.desired import Filter
from madang.gateway.matches import TOKEN, Unsupported
from madang.haproxy.quoting import literal
from madang.ports.objects import Obj

REDIRECTS = (301, 302, 303, 307, 308)


def lines(filters: Iterable[Obj], prefix: str | None, at: str) -> tuple[Filter, ...]:
    """`prefix` is the path prefix that matched; None where the path was matched in another way."""
    found: list[Filter] = []
    for i, one in enumerate(filters):
        kind, where = one.get("type"), f"{at}[{i}]"
        if kind == "RequestHeaderModifier":
            found += _headers("http-request", one["requestHeaderModifier"], where)
        elif kind == "ResponseHeaderModifier":
            found += _headers("http-response", one["responseHeaderModifier"], where)
        elif kind == "URLRewrite":
            rewrite = one["urlRewrite"]
            found += _path(rewrite.get("path"), prefix, where)
            if rewrite.get("hostname"):
                found.append(Filter("http-request set-header", ("host", literal(rewrite["hostname"]))))
        elif kind == "RequestRedirect":
            found += _redirect(one["requestRedirect"], prefix, where)
        else:
            raise Unsupported(f"{where}.type: the filter {kind!r} is not carried here")
    return tuple(found)


def redirects(filters: Iterable[Obj]) -> bool:
    return any(f.get("type") == "RequestRedirect" for f in filters)


def _headers(phase: str, change: Obj, at: str) -> Iterable[Filter]:
    for verb in ("set", "add"):
        for header in change.get(verb) or ():
            yield Filter(f"{phase} {verb}-header", (_token(header["name"], at), literal(header["value"])))
    for name in change.get("remove") or ():
        yield Filter(f"{phase} del-header", (_token(name, at),))


def _token(name: str, at: str) -> str:
    if not TOKEN.fullmatch(name):
        raise Unsupported(f"{at}: {name!r} is not a header's name")
    return name


def _path(change: Obj | None, prefix: str | None, at: str) -> Iterable[Filter]:
    if not change:
        return
    if change.get("type") == "ReplaceFullPath":
        yield Filter("http-request set-path", (literal(change.get("replaceFullPath", "/")),))
        return
    if prefix is None:
        raise Unsupported(f"{at}.path.type: ReplacePrefixMatch needs a match of type PathPrefix")
    old, new = prefix.rstrip("/"), change.get("replacePrefixMatch", "/").rstrip("/")
    if not re.fullmatch(r"[A-Za-z0-9/._~!@:=+&;-]*", new):
        raise Unsupported(f"{at}.path.replacePrefixMatch: {new!r} holds a character that cannot be written here")
    # an empty new prefix must leave the slash that begins every path
    pattern, result = (f"^{re.escape(old)}(.*)$", f"{new}\\1") if new else (f"^{re.escape(old)}/?(.*)$", "/\\1")
    yield Filter("http-request replace-path", (pattern, result))


def _redirect(change: Obj, prefix: str | None, at: str) -> Iterable[Filter]:
    yield from _path(change.get("path"), prefix, at)
    scheme = change.get("scheme", "http")
    if scheme not in ("http", "https"):
        raise Unsupported(f"{at}.scheme: {scheme!r} is not one of http, https")
    code = change.get("statusCode", 302)
    if code not in REDIRECTS:
        raise Unsupported(f"{at}.statusCode: {code} is not one of {', '.join(map(str, REDIRECTS))}")
    host = literal(change["hostname"]) if change.get("hostname") else "%[req.hdr(host),host_only]"
    usual = {"http": 80, "https": 443}[scheme]
    if "port" not in change and "scheme" not in change:
        suffix = ":%[dst_port]"  # neither asked for: the listener's own port stays
    else:
        port = change.get("port", usual)
        suffix = "" if port == usual else f":{port}"
    yield Filter("http-request redirect location", (f"{scheme}://{host}{suffix}%[pathq]", f"code {code}"), True)
