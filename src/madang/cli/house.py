"""A command's way into a running courtyard: the API over its unix socket, and the project's names.

In: a running `Courtyard`. Out: `RemoteApi`, the namespace meant, a service's Deployment, its pods.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from madang.cli.courtyards import Courtyard, running
from madang.cli.refusal import Refusal
from madang.ports.api import Api, ListOptions
from madang.ports.errors import NotFound, StatusError
from madang.ports.objects import Obj

if TYPE_CHECKING:
    from madang.api.remote import RemoteApi

T = TypeVar("T")


@asynccontextmanager
async def remote(court: Courtyard) -> AsyncIterator["RemoteApi"]:
    """The courtyard's API over its unix socket: whoever may open that is the admin."""
    from madang.api.remote import RemoteApi

    api = RemoteApi.over_unix(court.socket)
    try:
        yield api
    finally:
        await api.close()


def ask(name: str, question: Callable[["RemoteApi", Courtyard], Coroutine[Any, Any, T]]) -> T:
    """Runs one conversation with a running courtyard; the API's refusals become the command's."""
    court = running(name)

    async def talk() -> T:
        async with remote(court) as api:
            return await question(api, court)

    try:
        return asyncio.run(talk())
    except StatusError as error:
        raise Refusal(error.message) from error
    except ConnectionError as error:
        raise Refusal(f"the courtyard {name!r} does not answer on {court.socket}: {error}") from error


def namespace_of(court: Courtyard, given: str) -> str:
    """What `-n` says, else the kubeconfig's default: the project that `up` brought last."""
    if given:
        return given
    from madang.wire.kubeconfig import current_namespace

    return current_namespace(court.kubeconfig)


async def deployment(api: Api, namespace: str, service: str) -> Obj:
    """The Deployment of a service; a wrong name gets close matches."""
    try:
        return await api.get("deployments.apps", namespace, service)
    except NotFound:
        known = [e.key.name for e in (await api.list("deployments.apps", namespace)).entries]
        jobs = [e.key.name for e in (await api.list("jobs.batch", namespace)).entries]
        raise Refusal(unknown_service(service, namespace, known, jobs), code=2) from None


def unknown_service(service: str, namespace: str, known: list[str], jobs: list[str]) -> str:
    from difflib import get_close_matches

    if service in jobs:
        return f"{service!r} runs once and ends (it is a Job); see it with `madang logs {service}`"
    if not known:
        return f"no service {service!r}: nothing runs in {namespace!r}; other projects: -n PROJECT"
    close = get_close_matches(service, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
    return f"no service {service!r} in {namespace!r}; {hint}"


async def pods_of(api: Api, namespace: str, service: str) -> list[Obj]:
    """The pods of a service (by its Deployment's or Job's own selector), oldest first."""
    owner: Obj | None = None
    for kind in ("deployments.apps", "jobs.batch"):
        try:
            owner = await api.get(kind, namespace, service)
            break
        except NotFound:
            continue
    if owner is None:
        await deployment(api, namespace, service)  # refuses, with the names that there are
        return []
    wanted = owner["spec"]["selector"].get("matchLabels", {})
    selector = ",".join(f"{k}={v}" for k, v in wanted.items())
    page = await api.list("pods", namespace, ListOptions(labels=selector))
    return sorted(
        (e.obj for e in page.entries), key=lambda p: (p["metadata"]["creationTimestamp"], p["metadata"]["name"])
    )
