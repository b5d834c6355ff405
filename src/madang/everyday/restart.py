"""New instances of a service for the old ones, one after the other, as `kubectl rollout restart` does it.

In: the API, a service, the hour. Out: nothing; the Deployment's controller does the rest.
"""

from datetime import UTC, datetime

from madang.everyday.service import deployment
from madang.ports.api import Api

STAMP = "kubectl.kubernetes.io/restartedAt"


async def restart(api: Api, namespace: str, service: str, now_s: float) -> None:
    """Raises UnknownService."""
    await deployment(api, namespace, service)
    at = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = {"spec": {"template": {"metadata": {"annotations": {STAMP: at}}}}}
    await api.patch("deployments.apps", namespace, service, patch, style="merge")
