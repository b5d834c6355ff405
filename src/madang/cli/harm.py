"""`madang break`: harms one instance of a service on purpose, to see it heal (`everyday/harm.py` says how)."""

import subprocess
from typing import Annotated, cast

import typer

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.nodes import NODE, break_node
from madang.cli.options import DEFAULT, Name, Namespace, Service
from madang.cli.refusal import Refusal
from madang.cli.screen import say
from madang.ports.api import Api


def harm(
    service: Service,
    how: Annotated[str, typer.Option("--how", help="kill, hang or slow.")] = "kill",
    seconds: Annotated[float, typer.Option("--for", help="hang, slow: for how long, at most.")] = 30,
    name: Name = DEFAULT,
    namespace: Namespace = "",
) -> None:
    """Harm one running instance of a service, or a whole node, to see how the rest carries on and how it heals.

    A node's agent falls silent (hang), and its programs end as well (kill); `madang start node/NAME` brings it back.

    Example: `madang break catalog --how kill`, `madang break node/node-2 --how hang`
    """
    from madang.everyday import harm as harming

    if service.startswith(NODE):
        break_node(service.removeprefix(NODE), how, name)
        return

    if how not in harming.WAYS:
        raise Refusal(f"--how {how}: expected kill, hang or slow", code=2)

    async def choose(api: Api, court: Courtyard) -> harming.Victim:
        return await harming.victim(api, court.home, namespace_of(court, namespace), service)

    one = ask(name, choose)
    if how == "kill":
        harming.kill(one)
        say(f"{one.pod}: killed (pid {one.pid}); watch it heal with `madang kubectl get pods -w`")
        return
    subprocess.Popen(
        harming.affliction(one, cast(harming.How, how), seconds),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    say(f"{one.pod}: {'hangs' if how == 'hang' else 'is slow'} (pid {one.pid}) for {seconds:.0f} s at most")
