"""How many instances of a service there should be. In: the API, a service, a number. Out: how many it was."""

from madang.everyday.service import deployment
from madang.ports.api import Api

MOST = 1000


async def scale(api: Api, namespace: str, service: str, replicas: int) -> int:
    """Raises UnknownService. An autoscaler that follows the service may choose otherwise later."""
    before = await deployment(api, namespace, service)
    wanted = {"spec": {"replicas": replicas}}
    await api.patch("deployments.apps", namespace, service, wanted, style="merge", subresource="scale")
    return int(before["spec"].get("replicas", 1))
