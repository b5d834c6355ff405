"""By which terms the store finds objects: what `view` and `list` look up instead of reading everything.

In: a kind and an object's bytes, as the store hands them over right after `encode` made them. Out: terms.
`encode` keeps the object that it has just encoded, so that the store's question costs no second decoding.
"""

import sys
from collections.abc import Iterable

import orjson

from madang.ports.objects import Kind, Obj
from madang.store.model import Term


class Index:
    """Terms: ("label", "k=v"), ("owner", uid), ("node", name), ("uid", uid) and, for Services, ("ip", address),
    ("nodeport", number) and ("port", number of the loopback network)."""

    def __init__(self) -> None:
        self._data: bytes = b""
        self._obj: Obj = {}

    def encode(self, obj: Obj, revision: int) -> bytes:
        """The object's bytes, `kind` and `apiVersion` first, under a revision (written into `obj`)."""
        obj["metadata"]["resourceVersion"] = str(revision)
        self._obj = obj
        self._data = orjson.dumps(obj)
        return self._data

    def terms(self, kind: Kind, data: bytes) -> Iterable[Term]:
        obj = self._obj if data is self._data else orjson.loads(data)
        return terms(kind, obj)


def terms(kind: Kind, obj: Obj) -> list[Term]:
    meta = obj["metadata"]
    found = [("label", sys.intern(f"{k}={v}")) for k, v in (meta.get("labels") or {}).items()]
    found += [("owner", owner["uid"]) for owner in meta.get("ownerReferences") or () if owner.get("uid")]
    if kind == "pods":
        node = (obj.get("spec") or {}).get("nodeName") or ""  # empty: what still waits for a node
        found.append(("node", sys.intern(node)))
    elif kind == "services":
        found += _service(obj)
    elif kind == "events":
        uid = (obj.get("involvedObject") or {}).get("uid")
        if uid:
            found.append(("about", uid))
    return found


def _service(obj: Obj) -> list[Term]:
    spec = obj.get("spec") or {}
    found = [("ip", address) for address in spec.get("clusterIPs") or () if address != "None"]
    found += [("nodeport", str(port["nodePort"])) for port in spec.get("ports") or () if port.get("nodePort")]
    own = (obj["metadata"].get("annotations") or {}).get("madang.dev/ports")
    if own:
        found += [("port", str(number)) for number in orjson.loads(own).values()]
    return found
