"""`madang logs`: the log lines of a service, of all its instances, each with its instance's name in front."""

import asyncio
import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli import following
from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Output, as_named
from madang.cli.screen import AS_JSON
from madang.everyday.service import chosen, pods_of
from madang.ports.api import Api
from madang.ports.errors import BadRequest, NotFound
from madang.ports.objects import Obj
from madang.ports.streams import LogOptions

if TYPE_CHECKING:
    from madang.api.remote import RemoteApi

COLOURS = (36, 33, 32, 35, 34, 31)
KNOWN = 1000  # instances whose colour is remembered


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
        if follow:
            await go_on(api, where, service, tail, as_json=output == AS_JSON)
            return
        pods = await (pods_of(api, where, service) if service else all_pods(api, where))
        await stream(api, where, pods, tail, as_json=output == AS_JSON)

    ask(name, read)


async def all_pods(api: Api, namespace: str) -> list[Obj]:
    return [entry.obj for entry in (await api.list("pods", namespace)).entries]


async def go_on(api: "RemoteApi", namespace: str, service: str, tail: int, as_json: bool = False) -> None:
    """Follows the instances that are there and those that come; of a Job until it has ended."""
    kind, labels = await chosen(api, namespace, service) if service else ("", "")
    tint = sys.stdout.isatty()
    numbers: dict[str, int] = {}

    async def read(pod: Obj, container: str, early: bool) -> None:
        number = numbers.setdefault(pod["metadata"]["name"], len(numbers) % len(COLOURS))
        while len(numbers) > KNOWN:
            del numbers[next(iter(numbers))]
        shown = prefix(pod, container, number, tint, as_json)
        # `--tail` is about what was said before; who comes later is heard from the first line.
        await one(api, namespace, pod, container, shown, follow=True, tail=tail if early else -1)

    over = partial(following.finished, api, kind, namespace, service) if kind else None
    await following.follow(api, namespace, read, labels, over)


async def stream(api: "RemoteApi", namespace: str, pods: Sequence[Obj], tail: int, as_json: bool = False) -> None:
    """All containers of all pods at the same time; a line is written whole. In JSON each is an object of its own."""
    tint = sys.stdout.isatty()
    async with asyncio.TaskGroup() as tasks:
        for number, pod in enumerate(pods):
            for container in (c["name"] for c in pod["spec"]["containers"]):
                shown = prefix(pod, container, number, tint, as_json)
                tasks.create_task(one(api, namespace, pod, container, shown, follow=False, tail=tail))


def prefix(pod: Obj, container: str, number: int, tint: bool, as_json: bool) -> str | dict[str, str]:
    name = pod["metadata"]["name"]
    if as_json:
        return {"pod": name, "container": container}
    label = name + (f"/{container}" if len(pod["spec"]["containers"]) > 1 else "")
    return f"\033[{COLOURS[number % len(COLOURS)]}m{label} |\033[0m " if tint else f"{label} | "


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
    except ConnectionError:
        if not follow:
            raise  # else the courtyard has stopped: what came is all there is
    if rest:
        show(prefix, rest)


def show(prefix: str | dict[str, str], line: bytes) -> None:
    """Behind its prefix, or as a JSON object beside what is known of it."""
    text = line.decode("utf-8", "replace")
    sys.stdout.write(f"{prefix}{text}\n" if isinstance(prefix, str) else f"{json.dumps({**prefix, 'line': text})}\n")
    sys.stdout.flush()
