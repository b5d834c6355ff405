"""`madang exec`: a command inside a running instance."""

import sys
from typing import Annotated

import typer

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Service, words
from madang.cli.refusal import Refusal
from madang.everyday.service import pods_of
from madang.ports.api import Api


def execute(
    context: typer.Context,
    service: Service,
    instance: Annotated[
        int, typer.Option("--instance", "-i", help="Which instance, counted from 1, oldest first.")
    ] = 1,
    name: Name = DEFAULT,
    namespace: Namespace = "",
) -> None:
    """Run a command (else a shell) inside a running instance of a service; exits with the command's exit code.

    Example: `madang exec web -- ls -la`
    """
    command = words(context.args) or ["/bin/sh"]

    async def talk(api: Api, court: Courtyard) -> int:
        from madang.cli.session import execute as session

        where = namespace_of(court, namespace)
        pods = [p for p in await pods_of(api, where, service) if p.get("status", {}).get("phase") == "Running"]
        if not 1 <= instance <= len(pods):
            raise Refusal(f"{service} has {len(pods)} running instances; there is no number {instance}")
        pod = pods[instance - 1]
        container = pod["spec"]["containers"][0]["name"]
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        return await session(str(court.socket), where, pod["metadata"]["name"], container, command, terminal)

    raise typer.Exit(ask(name, talk))
