"""`madang start`: what `madang stop` stopped runs again."""

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.nodes import NODE, mend_node
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.screen import say
from madang.cli.stop import BEFORE
from madang.everyday.service import deployment
from madang.ports.api import Api


def start(service: Service, name: Name = DEFAULT, namespace: Namespace = "") -> None:
    """Bring back a stopped service with as many instances as it had, or a node that was broken.

    Example: `madang start payments`, `madang start node/node-2`
    """
    if service.startswith(NODE):
        mend_node(service.removeprefix(NODE), name)
        return

    async def change(api: Api, court: Courtyard) -> tuple[int, int]:
        where = namespace_of(court, namespace)
        found = await deployment(api, where, service)
        now = int(found["spec"].get("replicas", 1))
        wanted = now or int(found["metadata"].get("annotations", {}).get(BEFORE, "1"))
        patch = {"metadata": {"annotations": {BEFORE: None}}, "spec": {"replicas": wanted}}
        await api.patch("deployments.apps", where, service, patch, style="merge")
        return now, wanted

    now, wanted = ask(name, change)
    say(f"{service}: runs already ({now})" if now else f"{service}: started (0 -> {wanted})")
