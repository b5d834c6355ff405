"""The Gateway API: custom resources in a cluster, and treated as such here (nothing is dropped for being empty)."""

from madang.kinds.kind import Kind
from madang.kinds.rows.core import STATUS

GATEWAY_CLASS = Kind(
    group="gateway.networking.k8s.io", version="v1", kind="GatewayClass", plural="gatewayclasses", namespaced=False,
    singular="gatewayclass", short=("gc",), categories=("gateway-api",), subresources=(STATUS,),
)  # fmt: skip
GATEWAY = Kind(
    group="gateway.networking.k8s.io", version="v1", kind="Gateway", plural="gateways", singular="gateway",
    short=("gtw",), categories=("gateway-api",), subresources=(STATUS,),
)  # fmt: skip
HTTP_ROUTE = Kind(
    group="gateway.networking.k8s.io", version="v1", kind="HTTPRoute", plural="httproutes", singular="httproute",
    categories=("gateway-api",), subresources=(STATUS,),
)  # fmt: skip

ROWS = (GATEWAY_CLASS, GATEWAY, HTTP_ROUTE)
