"""`madang stop`: no instance of a service, until `madang start`."""

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.screen import say
from madang.everyday.service import deployment
from madang.ports.api import Api
from madang.ports.settings import DOMAIN

BEFORE = f"{DOMAIN}/replicas-before-stop"


def stop(service: Service, name: Name = DEFAULT, namespace: Namespace = "") -> None:
    """Stop all instances of a service; `madang start` brings back as many as there were.

    Example: `madang stop payments`
    """

    async def change(api: Api, court: Courtyard) -> int:
        where = namespace_of(court, namespace)
        replicas = int((await deployment(api, where, service))["spec"].get("replicas", 1))
        if replicas:
            patch = {"metadata": {"annotations": {BEFORE: str(replicas)}}, "spec": {"replicas": 0}}
            await api.patch("deployments.apps", where, service, patch, style="merge")
        return replicas

    before = ask(name, change)
    say(f"{service}: stopped ({before} -> 0)" if before else f"{service}: was stopped already")
