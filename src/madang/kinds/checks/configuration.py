"""ConfigMaps and Secrets: their keys, their size, what a type of secret must hold, what may change.

In: the new object and the old one (None on create). Out: causes.
"""

import base64
import binascii
import json

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, forbidden, immutable, invalid, required, too_long
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.names import config_key
from madang.ports.objects import Obj

MAX_BYTES = 1024 * 1024
FIXED = "field is immutable when `immutable` is set"
ACCOUNT = "kubernetes.io/service-account.name"
# What a secret of a type must hold; one of them where the first word says so.
_NEEDS = {
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}


def check_config_map(new: Obj, old: Obj | None) -> list[Cause]:
    out = check_meta(new) if old is None else check_meta_update(new, old)
    if old is not None and old.get("immutable"):
        out += _fixed(new, old, ("data", "binaryData"))
    data, binary = new.get("data") or {}, new.get("binaryData") or {}
    size = 0
    for key, value in sorted(data.items()):
        out += each(f"data[{key}]", key, config_key(key))
        if key in binary:
            out.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
        size += len(value)
    for key, value in sorted(binary.items()):
        out += each(f"binaryData[{key}]", key, config_key(key))
        size += len(value or "") * 3 // 4  # null is an empty value
    if size * 4 > MAX_BYTES:  # bytes are counted only where the characters come near
        size = sum(len(v.encode()) for v in data.values()) + _bytes(binary)
    return [*out, too_long("", MAX_BYTES)] if size > MAX_BYTES else out


def check_secret(new: Obj, old: Obj | None) -> list[Cause]:
    if old is None:
        return check_meta(new) + _secret(new)
    out = check_meta_update(new, old)
    out += immutable("type", new.get("type", ""), old.get("type", ""))
    if old.get("immutable"):
        out += _fixed(new, old, ("data",))
    return out + _secret(new)


def _fixed(new: Obj, old: Obj, fields: tuple[str, ...]) -> list[Cause]:
    out = [] if new.get("immutable") else [forbidden("immutable", FIXED)]
    return out + [forbidden(f, FIXED) for f in fields if (new.get(f) or {}) != (old.get(f) or {})]


def _bytes(encoded: dict[str, str | None]) -> int:
    return sum(len(v or "") * 3 // 4 for v in encoded.values())


def _secret(obj: Obj) -> list[Cause]:
    data, kind = obj.get("data") or {}, obj.get("type", "")
    out: list[Cause] = []
    for key in sorted(data):
        out += each(f"data[{key}]", key, config_key(key))
    if _bytes(data) > MAX_BYTES:
        out.append(too_long("data", MAX_BYTES))
    if kind == "kubernetes.io/service-account-token":
        if not (obj["metadata"].get("annotations") or {}).get(ACCOUNT):
            out.append(required(f"metadata.annotations[{ACCOUNT}]"))
    elif kind == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        out += [required("data[username]"), required("data[password]")]
    for key in _NEEDS.get(kind, ()):
        if key not in data or (not data[key] and kind == "kubernetes.io/ssh-auth"):
            out.append(required(f"data[{key}]"))
        elif kind.startswith("kubernetes.io/docker"):
            out += _json(data[key] or "", f"data[{key}]")
    return out


def _json(value: str, path: str) -> list[Cause]:
    try:
        json.loads(base64.b64decode(value))
    except (ValueError, binascii.Error) as fault:
        return [invalid(path, "<secret contents redacted>", str(fault))]
    return []
