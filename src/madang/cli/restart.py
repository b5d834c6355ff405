"""`madang restart`: new instances for the old ones, one after the other, as `kubectl rollout restart` does it."""

import time

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.screen import say
from madang.everyday import restart as restarting
from madang.ports.api import Api


def restart(service: Service, name: Name = DEFAULT, namespace: Namespace = "") -> None:
    """Replace each instance of a service by a new one, without an interruption.

    Example: `madang restart web`
    """

    async def change(api: Api, court: Courtyard) -> None:
        await restarting.restart(api, namespace_of(court, namespace), service, time.time())

    ask(name, change)
    say(f"{service}: is being replaced; watch it with `madang kubectl rollout status deployment/{service}`")
