"""A command's way into a running courtyard: the API over its unix socket, and the project's name.

In: a running `Courtyard`. Out: `RemoteApi`, the namespace meant (`everyday/service.py` finds
the services in it).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from madang.cli.courtyards import Courtyard, running
from madang.cli.refusal import Refusal
from madang.everyday.service import UnknownService
from madang.ports.errors import StatusError

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
    except UnknownService as error:
        raise Refusal(error.message, code=2) from error
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
