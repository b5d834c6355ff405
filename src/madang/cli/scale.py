"""`madang scale`: how many instances of a service there should be."""

from typing import Annotated

import typer

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.screen import say
from madang.everyday import scale as scaling
from madang.ports.api import Api


def scale(
    service: Service,
    replicas: Annotated[int, typer.Argument(metavar="REPLICAS", min=0, max=scaling.MOST, help="How many instances.")],
    name: Name = DEFAULT,
    namespace: Namespace = "",
) -> None:
    """Run N instances of a service.

    Example: `madang scale catalog 3`
    """

    async def change(api: Api, court: Courtyard) -> int:
        return await scaling.scale(api, namespace_of(court, namespace), service, replicas)

    before = ask(name, change)
    say(f"{service}: {before} -> {replicas}")
