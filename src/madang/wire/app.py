"""The Kubernetes API over HTTP: an ASGI application that adds HTTP to the verbs of `api`, and nothing else.

In: ASGI scopes of one door (`trusting`: whoever comes is the admin; else a token is asked for). Out: answers. The
order: who asks, which path, which resource, which verb. Every refusal is a Status object.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping

from madang.api import errors
from madang.api.desk import Desk
from madang.api.direct import ADMIN
from madang.api.resources import Resource, at_path
from madang.ports.api import User
from madang.ports.errors import BadRequest, StatusError
from madang.ports.streams import PodStreams
from madang.wire import (
    answer,
    discovery,
    health,
    impersonation,
    negotiate,
    reading,
    reviews,
    streaming,
    watching,
    writing,
)
from madang.wire.answer import Receive, Scope, Send
from madang.wire.authn import Doorkeeper, check_host
from madang.wire.body import read_body
from madang.wire.request import Request, Target, query, target

log = logging.getLogger("madang.wire")
OPEN = frozenset({"/healthz", "/livez", "/readyz", "/version"})  # for everybody, token or not
STREAMED = frozenset({"exec", "attach", "portforward"})
SOCKETS = STREAMED | {"log"}
NOT_PASSED_ON = re.compile(r"/api/v1/namespaces/[^/]+/(pods|services)/[^/]+/proxy(/|$)")


class App:
    def __init__(
        self,
        desk: Desk,
        streams: PodStreams | None,
        doorkeeper: Doorkeeper | None,
        closing: asyncio.Event,
        server_address: str = "",
    ) -> None:
        """Without a doorkeeper the door trusts whoever could open it."""
        self.desk = desk
        self.streams = streams
        self._doorkeeper = doorkeeper
        self._closing = closing
        self._address = server_address
        self.look: Callable[[], Awaitable[None]] | None = None  # set by whoever stands before this door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        started = False

        async def tracked(message: Scope) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            request = self._request(scope, headers)
            await self._answer(request, receive, tracked)
        except StatusError as refusal:
            if started:
                raise
            await answer.send_refusal(send, refusal, _media(headers))
        except Exception as fault:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if not started:
                broken = StatusError(f"Internal error occurred: {fault}", details={"causes": [{"message": str(fault)}]})
                await answer.send_refusal(send, broken)

    def _request(self, scope: Scope, headers: Mapping[str, str]) -> Request:
        pairs = query(scope["query_string"])
        path = scope["path"]
        return Request(
            method=scope.get("method", "GET"),
            path=path,
            query=dict(reversed(pairs)),
            headers=headers,
            user=self._asking(scope, path, headers),
            closing=self._closing,
            look=self.look,
            pairs=pairs,
            raw_path=scope.get("raw_path", b"").decode("latin-1"),
            raw_query=scope["query_string"].decode("latin-1"),
        )

    def _asking(self, scope: Scope, path: str, headers: Mapping[str, str]) -> User:
        user = self._user(path, headers)
        if any(name in headers for name in impersonation.HEADERS):
            return impersonation.impersonated(scope["headers"])
        return user

    def _user(self, path: str, headers: Mapping[str, str]) -> User:
        if self._doorkeeper is None:
            return ADMIN
        check_host(headers.get("host", ""))
        given = headers.get("authorization", "")
        if not given and path.rstrip("/") in OPEN:
            return User("system:anonymous", ("system:unauthenticated",))
        return self._doorkeeper.user(given)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        if "/proxy" in request.path and await self._passed_on(request, receive, send):
            return
        found = target(request.path)
        if found is None:
            if request.path.split("/", 2)[1] in health.PATHS:
                await health.send(self.desk, request, send)
            else:
                await discovery.send(request, send, self._address)
            return
        if await reviews.send(self.desk, request, found, receive, send):
            return
        if not discovery.knows(found.group):
            await answer.send_text(send, 404, "404 page not found\n")
            return
        resource = at_path(found.group, found.version, found.plural)
        verb = verb_of(request, resource, found)
        await self._do(verb, request, resource, found, receive, send)

    async def _passed_on(self, request: Request, receive: Receive, send: Send) -> bool:
        from madang.wire import proxying  # seldom asked for: its HTTP client is loaded when it is

        through = proxying.aim(request.path, request.raw_path)
        if through is not None:
            await proxying.send(self.desk, request, through, receive, send)
        return through is not None

    async def _do(
        self, verb: str, request: Request, resource: Resource, found: Target, receive: Receive, send: Send
    ) -> None:
        if found.subresource == "log":
            await streaming.logs(self.desk, self.streams, request, found, receive, send)
        elif found.subresource in STREAMED:
            streaming.check_upgrade(self.desk, self.streams, request, found)
        elif verb == "get":
            await reading.get(self.desk, request, resource, found, send)
        elif verb == "list":
            await reading.listing(self.desk, request, resource, found, send)
        elif verb == "watch":
            await watching.watch(self.desk, request, resource, found, receive, send)
        else:
            body = await read_body(receive)
            await writing.DO[verb](self.desk, request, resource, found, body, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        try:
            request = self._request(scope, headers)
            if NOT_PASSED_ON.match(request.path):
                raise BadRequest("an upgrade (a WebSocket) is not passed on by `proxy`: use port-forward")
            found = target(request.path)
            if found is None or found.subresource not in SOCKETS or found.plural != "pods":
                raise errors.no_resource()
            await streaming.upgrade(self.desk, self.streams, request, found, scope, receive, send)
        except StatusError as refusal:
            await streaming.refuse(scope, receive, send, refusal)


def verb_of(request: Request, resource: Resource, found: Target) -> str:
    """The API's verb; 405 where the path does not have it."""
    method = request.method
    if found.subresource:
        sub = next((s for s in resource.row.subresources if s.name == found.subresource), None)
        if sub is None or not found.name:
            raise errors.no_resource()
        verb = {"GET": "get", "PUT": "update", "PATCH": "patch", "POST": "create", "DELETE": "delete"}.get(method, "")
        if verb not in sub.verbs:
            raise errors.no_method()
        return verb
    if found.name:
        verb = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method, "")
    else:
        verb = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}.get(method, "")
    if verb in ("list", "get") and request.flag("watch"):
        verb = "watch"
    if verb not in resource.row.verbs:
        raise errors.no_method()
    if resource.row.namespaced and found.namespace is None and (found.name or verb in ("create", "deletecollection")):
        raise errors.no_method() if not found.name else errors.no_resource()
    if not resource.row.namespaced and found.namespace is not None:
        raise errors.no_resource()
    return verb


def _media(headers: Mapping[str, str]) -> str:
    try:
        return negotiate.accepted(headers.get("accept", "")).media
    except StatusError:
        return "application/json"
