"""What lies in a volume that is made of objects: configMap, secret, downwardAPI, projected.

In: the pod, the volume's source, lookups. Out: path -> file. What is missing and not optional raises `Refused`
with the kubelet's words.
"""

from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from madang.node.launch.environment import Lookup, Missing, Place, field_value, resource_value
from madang.ports.objects import Obj

DEFAULT_MODE = 0o644

# (pod, audience, seconds) -> a token of the pod's service account; None where none can be had
Token = Callable[[Obj, str, int], Awaitable[str | None]]


class Refused(Exception):
    """The volume cannot be made, for a reason that stands in the event FailedMount."""


class File(NamedTuple):
    data: bytes
    mode: int


class TokenAsked(NamedTuple):
    """A token has to be asked for: the only content that is not at hand."""

    path: str
    audience: str
    seconds: int
    mode: int


OBJECT_SOURCES = ("configMap", "secret", "downwardAPI", "projected")


def content(pod: Obj, volume: Obj, lookup: Lookup, place: Place) -> tuple[dict[str, File], list[TokenAsked]]:
    """The files of a volume whose source is one of OBJECT_SOURCES, and the tokens that belong into it too."""
    kind = next(k for k in OBJECT_SOURCES if k in volume)
    source = volume[kind] or {}
    mode = source.get("defaultMode")
    mode = DEFAULT_MODE if mode is None else int(mode)
    if kind != "projected":
        return _part(pod, kind, source, lookup, place, mode), []
    files: dict[str, File] = {}
    tokens = []
    for part in source.get("sources") or ():
        for name, body in part.items():
            if name == "serviceAccountToken":
                seconds = int(body.get("expirationSeconds") or 3600)
                tokens.append(TokenAsked(_inside(body["path"]), body.get("audience", ""), seconds, mode))
            elif name in OBJECT_SOURCES:
                files |= _part(pod, name, body, lookup, place, mode)
            else:
                raise Refused(f"projected source {name} isn't built yet")
    return files, tokens


def _part(pod: Obj, kind: str, source: Obj, lookup: Lookup, place: Place, mode: int) -> dict[str, File]:
    if kind == "downwardAPI":
        return _downward(pod, source, place, mode)
    plural = "configmaps" if kind == "configMap" else "secrets"
    name = source.get("secretName") or source.get("name") or ""
    found = lookup(plural, name)
    if found is None:
        if source.get("optional"):
            return {}
        raise Refused(f'{plural[:-1]} "{name}" not found')
    return _chosen(plural, source, _data(plural, found), mode)


def _chosen(plural: str, source: Obj, data: Mapping[str, bytes], mode: int) -> dict[str, File]:
    items = source.get("items")
    if not items:
        return {key: File(value, mode) for key, value in data.items()}
    files = {}
    for item in items:
        if item["key"] in data:
            own = item.get("mode")
            files[_inside(item["path"])] = File(data[item["key"]], mode if own is None else int(own))
        elif not source.get("optional"):
            shown = "config" if plural == "configmaps" else "secret"
            raise Refused(f"references non-existent {shown} key: {item['key']}")
    return files


def _data(plural: str, obj: Obj) -> dict[str, bytes]:
    if plural == "secrets":
        return {k: b64decode(v or "") for k, v in (obj.get("data") or {}).items()}
    plain = {k: v.encode() for k, v in (obj.get("data") or {}).items()}
    return plain | {k: b64decode(v) for k, v in (obj.get("binaryData") or {}).items()}


def _downward(pod: Obj, source: Obj, place: Place, mode: int) -> dict[str, File]:
    files = {}
    for item in source.get("items") or ():
        own = item.get("mode")
        try:
            if "fieldRef" in item:
                value = field_value(pod, item["fieldRef"]["fieldPath"], place)
            else:
                value = resource_value(pod, item["resourceFieldRef"], place, None)
        except (Missing, KeyError) as e:
            raise Refused(str(e)) from e
        files[_inside(item["path"])] = File(value.encode(), mode if own is None else int(own))
    return files


def _inside(path: str) -> str:
    """A path that stays in its volume."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise Refused(f"invalid path {path!r}: must be relative and must not contain '..'")
    return path
