"""`madang break node/NAME` and `madang start node/NAME`: a whole node is lost, and comes back."""

from collections.abc import Awaitable, Callable

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask
from madang.cli.refusal import Refusal
from madang.cli.screen import say
from madang.ports.api import Api
from madang.ports.errors import NotFound

NODE = "node/"


def break_node(node: str, how: str, name: str) -> None:
    from madang.everyday import nodes

    if how not in nodes.WAYS:
        raise Refusal(f"--how {how}: a node can be broken by kill or hang", code=2)
    _asked(node, name, lambda api: nodes.break_node(api, node, how))
    what = "its agent is silent and its programs are killed" if how == "kill" else "its agent is silent"
    say(f"{node}: {what}; watch with `madang kubectl get nodes -w`, bring it back with `madang start node/{node}`")


def mend_node(node: str, name: str) -> None:
    from madang.everyday import nodes

    changed = _asked(node, name, lambda api: nodes.mend_node(api, node))
    say(f"{node}: works again" if changed else f"{node}: was not broken")


def _asked(node: str, name: str, do: Callable[[Api], Awaitable[bool]]) -> bool:
    from madang.everyday import nodes

    async def work(api: Api, court: Courtyard) -> bool:
        try:
            return await do(api)
        except NotFound:
            known = ", ".join(await nodes.names(api))
            raise Refusal(f"there is no node {node!r}; there are: {known}") from None

    return ask(name, work)
