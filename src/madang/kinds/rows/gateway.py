"""The Gateway API: custom resources in a cluster, and treated as such here (nothing is dropped for being empty)."""

from collections.abc import Callable

from madang.kinds import schema, strategies
from madang.kinds.columns import cluster as printed
from madang.kinds.defaults import custom
from madang.kinds.kind import Kind
from madang.kinds.rows.core import STATUS
from madang.ports.objects import Obj

GROUP = "gateway.networking.k8s.io"


def created(kind: str) -> Callable[[Obj], None]:
    return strategies.custom_create(lambda: schema.node(GROUP, "v1", kind))


GATEWAY_CLASS = Kind(
    group=GROUP, version="v1", kind="GatewayClass", plural="gatewayclasses", namespaced=False,
    singular="gatewayclass", short=("gc",), categories=("gateway-api",), subresources=(STATUS,),
    default=custom.of(GROUP, "v1", "GatewayClass"), prepare_create=created("GatewayClass"),
    prepare_update=strategies.custom_update, prepare_status=strategies.custom_status,
    columns=printed.GATEWAY_CLASS,
)  # fmt: skip
GATEWAY = Kind(
    group=GROUP, version="v1", kind="Gateway", plural="gateways", singular="gateway",
    short=("gtw",), categories=("gateway-api",), subresources=(STATUS,),
    default=custom.of(GROUP, "v1", "Gateway"), prepare_create=created("Gateway"),
    prepare_update=strategies.custom_update, prepare_status=strategies.custom_status,
    columns=printed.GATEWAY,
)  # fmt: skip
HTTP_ROUTE = Kind(
    group=GROUP, version="v1", kind="HTTPRoute", plural="httproutes", singular="httproute",
    categories=("gateway-api",), subresources=(STATUS,),
    default=custom.of(GROUP, "v1", "HTTPRoute"), prepare_create=created("HTTPRoute"),
    prepare_update=strategies.custom_update, prepare_status=strategies.custom_status,
    columns=printed.HTTP_ROUTE,
)  # fmt: skip

ROWS = (GATEWAY_CLASS, GATEWAY, HTTP_ROUTE)
