"""`madang restart`: new instances for the old ones, one after the other, as `kubectl rollout restart` does it."""

from datetime import UTC, datetime

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, deployment, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.screen import say
from madang.ports.api import Api


def restart(service: Service, name: Name = DEFAULT, namespace: Namespace = "") -> None:
    """Replace each instance of a service by a new one, without an interruption.

    Example: `madang restart web`
    """

    async def change(api: Api, court: Courtyard) -> None:
        where = namespace_of(court, namespace)
        await deployment(api, where, service)
        stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        await api.patch("deployments.apps", where, service, patch, style="merge")

    ask(name, change)
    say(f"{service}: is being replaced; watch it with `madang kubectl rollout status deployment/{service}`")
