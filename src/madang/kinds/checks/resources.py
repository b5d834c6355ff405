"""What a container may ask for: names of resources, amounts, requests within limits.

In: a `resources` object with its path. Out: causes.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import NEGATIVE, each, invalid, not_found, required
from madang.kinds.names import qualified_name
from madang.kinds.quantity import Quantity, QuantityError, parse

CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
# Names that count as known without a domain, though only some fit a container.
STANDARD_RESOURCES = CONTAINER_RESOURCES | {
    "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
    "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
    "configmaps", "persistentvolumeclaims", "storage", "requests.storage", "services.nodeports",
    "services.loadbalancers",
}  # fmt: skip


def amount(text: Any) -> Quantity:
    """Decoding has refused what is no quantity; whoever checks without decoding gets a zero."""
    try:
        return parse(str(text))
    except QuantityError:
        return Quantity(0)


def check_resources(resources: dict[str, Any] | None, path: str, claims: frozenset[str] = frozenset()) -> list[Cause]:
    if not resources:
        return []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    out: list[Cause] = []
    for name, text in limits.items():
        out += _named_amount(name, text, f"{path}.limits[{name}]")
    for name, text in requests.items():
        out += _named_amount(name, text, f"{path}.requests[{name}]")
        out += _within(name, text, limits, path)
    for i, claim in enumerate(resources.get("claims") or ()):
        if claim.get("name", "") not in claims:
            out.append(not_found(f"{path}.claims[{i}]", claim.get("name", "")))
    return out


def _within(name: str, text: str, limits: dict[str, str], path: str) -> list[Cause]:
    overcommit = name in CONTAINER_RESOURCES
    if name not in limits:
        return [] if overcommit or _native(name) else [
            required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        ]  # fmt: skip
    wanted, limit = amount(text), amount(limits[name])
    if wanted.nanos != limit.nanos and not overcommit:
        return [invalid(f"{path}.requests", str(wanted), f"must be equal to {name} limit of {limit}")]
    if wanted.nanos > limit.nanos:
        return [invalid(f"{path}.requests", str(wanted), f"must be less than or equal to {name} limit of {limit}")]
    return []


def _native(name: str) -> bool:
    return "/" not in name and not name.startswith("hugepages-")


def _named_amount(name: str, text: str, path: str) -> list[Cause]:
    return check_resource_name(name, path) + check_amount(name, text, path)


def check_resource_name(name: str, path: str) -> list[Cause]:
    if name in CONTAINER_RESOURCES or name.startswith("hugepages-"):
        return []
    out = each(path, name, qualified_name(name))
    if "/" not in name:
        if not out and name not in STANDARD_RESOURCES:
            out.append(invalid(path, name, "must be a standard resource type or fully qualified"))
        out.append(invalid(path, name, "must be a standard resource for containers"))
    elif not out and (name.startswith("requests.") or len(name) > 253):
        out.append(invalid(path, name, "doesn't follow extended resource name standard"))
    return out


def check_amount(name: str, text: str, path: str) -> list[Cause]:
    found = amount(text)
    if found.nanos < 0:
        return [invalid(path, str(found), NEGATIVE)]
    if "/" in name and found.millis % 1000:
        return [invalid(path, str(found), "must be an integer")]
    return []
