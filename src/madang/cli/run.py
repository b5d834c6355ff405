"""`madang run`: a service's program with another command, once, beside the running ones (a migration, say)."""

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madang.cli.courtyards import Courtyard
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Namespace, Service, words
from madang.cli.refusal import Refusal
from madang.everyday.service import deployment
from madang.kinds.phase import ended
from madang.ports.api import Api, DeleteOptions
from madang.ports.errors import NotFound
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

if TYPE_CHECKING:
    from madang.api.remote import RemoteApi


def run(
    context: typer.Context,
    service: Service,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the pod there afterwards.")] = False,
    name: Name = DEFAULT,
    namespace: Namespace = "",
) -> None:
    """Run a command once with a service's environment and volumes; exits with the command's exit code.

    Example: `madang run orders python -m orders.migrate`
    """
    command = words(context.args)
    if not command:
        raise Refusal(f"run what? `madang run {service} COMMAND [ARGUMENTS]`", code=2)

    async def once(api: "RemoteApi", court: Courtyard) -> int:
        where = namespace_of(court, namespace)
        template = await template_of(api, where, service)
        written = await api.create("pods", one_off(template, service, where, command), namespace=where)
        pod = written.obj["metadata"]["name"]
        try:
            return await follow(api, where, pod)
        finally:
            if not keep:
                with suppress(NotFound):
                    await api.delete("pods", where, pod, DeleteOptions(grace_s=0))

    raise typer.Exit(ask(name, once))


async def template_of(api: Api, namespace: str, service: str) -> Obj:
    try:
        found = await api.get("jobs.batch", namespace, service)
    except NotFound:
        found = await deployment(api, namespace, service)
    template: Obj = found["spec"]["template"]
    return template


def one_off(template: Obj, service: str, namespace: str, command: list[str]) -> Obj:
    """A pod of its own: no service's label, so that no request is sent to it; no probes, no gates. Pure."""
    spec: dict[str, Any] = {**template["spec"], "restartPolicy": "Never"}
    spec.pop("schedulingGates", None)
    first, *others = spec["containers"]
    probes = ("readinessProbe", "livenessProbe", "startupProbe", "lifecycle", "ports")
    main = {key: value for key, value in first.items() if key not in probes}
    spec["containers"] = [{**main, "command": command, "args": []}, *others]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{service}-run-",
            "namespace": namespace,
            "labels": {f"{DOMAIN}/run-of": service},
        },
        "spec": spec,
    }


async def follow(api: "RemoteApi", namespace: str, pod: str) -> int:
    """Prints the log as it comes and gives the exit code."""
    from madang.cli.logs import one

    started = await until(api, namespace, pod, begun)
    container = started["spec"]["containers"][0]["name"]
    printing = asyncio.create_task(one(api, namespace, started, container, "", follow=True))
    over = await until(api, namespace, pod, ended)
    await printing
    state = over["status"].get("containerStatuses", [{}])[0].get("state", {}).get("terminated", {})
    if reason := over["status"].get("reason"):
        sys.stderr.write(f"{reason}: {over['status'].get('message', '')}\n")
    if state.get("reason") in ("StartError", "ContainerCannotRun"):  # it has no log that would tell
        sys.stderr.write(f"{state.get('message', '')}\n")
    return int(state.get("exitCode", 1))


def begun(pod: Obj) -> bool:
    """Running or over; a refusal where it cannot start."""
    status = pod.get("status", {})
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason", "").startswith(("Err", "Image", "Create", "Invalid")):
            raise Refusal(f"{waiting['reason']}: {waiting.get('message', '')}")
    return status.get("phase") in ("Running", "Succeeded", "Failed")


async def until(api: Api, namespace: str, pod: str, condition: Any) -> Obj:
    async for change in api.watch("pods", namespace, fields=f"metadata.name={pod}"):
        if change.type == "DELETED":
            raise Refusal(f"the pod {pod} was deleted meanwhile")
        if change.type != "BOOKMARK" and condition(change.entry.obj):
            return change.entry.obj
    raise Refusal("the courtyard went away meanwhile")
