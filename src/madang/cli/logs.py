"""`madang logs`: the log lines of a service, of all its instances, each with its instance's name in front."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Output, as_named
from madang.cli.screen import AS_JSON
from madang.everyday.service import pods_of
from madang.ports.api import Api
from madang.ports.errors import BadRequest, NotFound
from madang.ports.objects import Obj
from madang.ports.streams import LogOptions

if TYPE_CHECKING:
    from madang.api.remote import RemoteApi

COLOURS = (36, 33, 32, 35, 34, 31)


def logs(
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", callback=as_named, help="The service; none: all of the project.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    tail: Annotated[int, typer.Option("--tail", help="Begin with so many lines an instance (-1: all).")] = -1,
    name: Name = DEFAULT,
    namespace: Namespace = "",
    output: Output = "",
) -> None:
    """Print the log of a service, of all its instances. In JSON each line is an object: pod, container, line.

    Example: `madang logs orders -f`
    """

    async def read(api: "RemoteApi", court: Courtyard) -> None:
        where = namespace_of(court, namespace)
        pods = await (pods_of(api, where, service) if service else all_pods(api, where))
        await stream(api, where, pods, follow, tail, as_json=output == AS_JSON)

    ask(name, read)


async def all_pods(api: Api, namespace: str) -> list[Obj]:
    return [entry.obj for entry in (await api.list("pods", namespace)).entries]


async def stream(
    api: "RemoteApi", namespace: str, pods: Sequence[Obj], follow: bool, tail: int, as_json: bool = False
) -> None:
    """All containers of all pods at the same time; a line is written whole. In JSON each is an object of its own."""
    tint = sys.stdout.isatty()
    async with asyncio.TaskGroup() as tasks:
        for number, pod in enumerate(pods):
            containers = [c["name"] for c in pod["spec"]["containers"]]
            for container in containers:
                if as_json:
                    about = {"pod": pod["metadata"]["name"], "container": container}
                    tasks.create_task(one(api, namespace, pod, container, about, follow=follow, tail=tail))
                    continue
                label = pod["metadata"]["name"] + (f"/{container}" if len(containers) > 1 else "")
                prefix = f"\033[{COLOURS[number % len(COLOURS)]}m{label} |\033[0m " if tint else f"{label} | "
                tasks.create_task(one(api, namespace, pod, container, prefix, follow=follow, tail=tail))


async def one(
    api: "RemoteApi", namespace: str, pod: Obj, container: str, prefix: str | dict[str, str], *,
    follow: bool, tail: int = -1, since: str = "",
) -> None:  # fmt: skip
    """One container's log; nothing where it has not started yet, or is gone meanwhile."""
    tail_lines = tail if tail >= 0 else None
    options = LogOptions(container=container, follow=follow, tail_lines=tail_lines, since_time=since)
    rest = b""
    try:
        async for piece in api.logs(namespace, pod["metadata"]["name"], options):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                show(prefix, line)
    except (BadRequest, NotFound):
        return
    if rest:
        show(prefix, rest)


def show(prefix: str | dict[str, str], line: bytes) -> None:
    """Behind its prefix, or as a JSON object beside what is known of it."""
    text = line.decode("utf-8", "replace")
    sys.stdout.write(f"{prefix}{text}\n" if isinstance(prefix, str) else f"{json.dumps({**prefix, 'line': text})}\n")
    sys.stdout.flush()
