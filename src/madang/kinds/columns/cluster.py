"""How the small groups are printed: endpoint slices, leases, classes, measurements, and the Gateway API.

In: the object and the hour. Out: cells as the API server prints them; those of the Gateway API are the columns that
its CustomResourceDefinitions name.
"""

import json
from collections.abc import Callable
from typing import Any

from madang.kinds import ages
from madang.kinds.columns.cells import AGE, NAME, at, column, first_few
from madang.kinds.kind import Column
from madang.ports.objects import Obj


def _slice_ports(found: Obj) -> str:
    texts = []
    for port in found.get("ports") or ():
        number = port.get("port")
        texts.append("*" if number is None and port.get("name") is None else str(number or port.get("name")))
    return first_few(texts)


def _slice_addresses(found: Obj) -> str:
    return first_few([address for e in found.get("endpoints") or () for address in e.get("addresses") or ()])


ENDPOINT_SLICE = (
    NAME,
    column("AddressType", "string", "discovery.v1.EndpointSlice.addressType", lambda o: o.get("addressType", "")),
    column("Ports", "string", "discovery.v1.EndpointSlice.ports", _slice_ports),
    column("Endpoints", "string", "discovery.v1.EndpointSlice.endpoints", _slice_addresses),
    AGE,
)  # fmt: skip
LEASE = (
    NAME,
    column("Holder", "string", "coordination.v1.LeaseSpec.holderIdentity", lambda o: at(o, "spec", "holderIdentity")),
    AGE,
)  # fmt: skip
RUNTIME_CLASS = (
    NAME,
    column("Handler", "string", "node.v1.RuntimeClass.handler", lambda o: o.get("handler", "")),
    AGE,
)  # fmt: skip
_PRIORITY = "scheduling.v1.PriorityClass"
PRIORITY_CLASS = (
    NAME,
    column("Value", "integer", f"{_PRIORITY}.value", lambda o: o.get("value", 0)),
    column("Global-Default", "boolean", f"{_PRIORITY}.globalDefault", lambda o: o.get("globalDefault", False)),
    AGE,
    column(
        "PreemptionPolicy", "string", f"{_PRIORITY}.preemptionPolicy", lambda o: o.get("preemptionPolicy", ""),
    ),
)  # fmt: skip


def _named(name: str, path: str, cell: Callable[[Obj], Any], wide: bool = False) -> Column:
    """A column that a CustomResourceDefinition names: what is absent is null, what is a list is its JSON."""

    def read(obj: Obj) -> Any:
        value = cell(obj)
        return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value

    return column(name, "string", f"Custom resource definition column (in JSONPath format): {path}", read, wide=wide)


def _condition(kind: str) -> Callable[[Obj], Any]:
    def read(obj: Obj) -> Any:
        found = at(obj, "status", "conditions", default=())
        return next((c.get("status") for c in found if c.get("type") == kind), None)

    return read


def _first_address(gateway: Obj) -> Any:
    addresses = at(gateway, "status", "addresses", default=())
    return addresses[0].get("value") if addresses else None


_CUSTOM_AGE = Column(
    "Age", "date", "Custom resource definition column (in JSONPath format): .metadata.creationTimestamp",
    lambda obj, now: ages.since(obj["metadata"].get("creationTimestamp"), now),
)  # fmt: skip
GATEWAY_CLASS = (
    NAME,
    _named("Controller", ".spec.controllerName", lambda o: at(o, "spec", "controllerName", default=None)),
    _named("Accepted", '.status.conditions[?(@.type=="Accepted")].status', _condition("Accepted")),
    _CUSTOM_AGE,
    _named("Description", ".spec.description", lambda o: at(o, "spec", "description", default=None), wide=True),
)
GATEWAY = (
    NAME,
    _named("Class", ".spec.gatewayClassName", lambda o: at(o, "spec", "gatewayClassName", default=None)),
    _named("Address", ".status.addresses[*].value", _first_address),
    _named("Programmed", '.status.conditions[?(@.type=="Programmed")].status', _condition("Programmed")),
    _CUSTOM_AGE,
)
HTTP_ROUTE = (
    NAME,
    _named("Hostnames", ".spec.hostnames", lambda o: at(o, "spec", "hostnames", default=None)),
    _CUSTOM_AGE,
)


def _usage(name: str) -> Column:
    def read(obj: Obj) -> str:
        # of a pod the containers' amounts, as they are listed
        own = at(obj, "usage", name)
        return own or ",".join(c.get("usage", {}).get(name, "") for c in obj.get("containers") or ())

    return column(name, "string", f"The {name} that was used in the window.", read)


METRICS = (
    NAME, _usage("cpu"), _usage("memory"),
    column("Window", "string", "The time over which was measured.", lambda o: o.get("window", "")),
)  # fmt: skip
