"""Reading a pod's spec: its containers in their roles, restart rules, quantities.

In: pod objects. Out: plain values; nothing here knows what runs.
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

_SUFFIX = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(10**3),
    "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip


class Role(NamedTuple):
    """One container with the part it plays. A sidecar is an init container that is restarted always."""

    kind: Literal["init", "sidecar", "main"]
    spec: Obj

    @property
    def name(self) -> str:
        name: str = self.spec["name"]
        return name

    @property
    def field_path(self) -> str:
        return f"spec.{'containers' if self.kind == 'main' else 'initContainers'}{{{self.name}}}"


def roles(pod: Obj) -> list[Role]:
    """All containers, in the order in which they are started."""
    return [*inits(pod), *mains(pod)]


def inits(pod: Obj) -> list[Role]:
    found = pod["spec"].get("initContainers")
    return [Role("sidecar" if c.get("restartPolicy") == "Always" else "init", c) for c in found] if found else []


def mains(pod: Obj) -> list[Role]:
    return [tuple.__new__(Role, ("main", c)) for c in pod["spec"].get("containers") or ()]


def role(pod: Obj, name: str) -> Role:
    for r in roles(pod):
        if r.name == name:
            return r
    raise KeyError(f"pod {pod['metadata']['name']} has no container {name}")


def restarts(pod: Obj, role: Role, code: int) -> bool:
    """Whether a container that ended with `code` is started again."""
    policy = pod["spec"].get("restartPolicy", "Always")
    if role.kind == "sidecar":
        return True
    if role.kind == "init":
        return code != 0 and policy != "Never"
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def grace_s(pod: Obj) -> float:
    value = pod["spec"].get("terminationGracePeriodSeconds")
    return 30.0 if value is None else float(value)


def deleting(pod: Obj) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def maybe_listens(pod: Obj) -> bool:
    """Whether nobody is sure that its containers open the ports that they declare."""
    return (pod["metadata"].get("annotations") or {}).get(f"{DOMAIN}/listens") == "maybe"


def tcp_ports(role: Role) -> list[int]:
    return [p["containerPort"] for p in role.spec.get("ports") or () if p.get("protocol", "TCP") == "TCP"]


def port_number(role: Role, port: object) -> int | None:
    """A probe's port: a number, or the name of one of the container's own."""
    if isinstance(port, int):
        return port
    for p in role.spec.get("ports") or ():
        if p.get("name") == port:
            return int(p["containerPort"])
    return int(port) if isinstance(port, str) and port.isdigit() else None


def quantity(value: Any) -> Decimal:
    """A Kubernetes quantity as a number (`100m`, `1.5Gi`, `1e3`). Raises ValueError."""
    return _quantity(str(value))


@lru_cache(1024)
def _quantity(value: str) -> Decimal:
    text = value.strip()
    digits = text.rstrip("EPTGMKkimnu") if not _exponent(text) else text
    try:
        return Decimal(digits) * _SUFFIX[text[len(digits) :]]
    except (InvalidOperation, KeyError) as e:
        raise ValueError(f"{value!r} is not a quantity (examples: 100m, 0.5, 64Mi)") from e


def _exponent(text: str) -> bool:
    head, mark, tail = text.lower().partition("e")
    return bool(mark and head and tail.lstrip("+-").isdigit())


def limit(role: Role, resource: str) -> Decimal | None:
    found = ((role.spec.get("resources") or {}).get("limits") or {}).get(resource)
    return None if found is None else quantity(found)
