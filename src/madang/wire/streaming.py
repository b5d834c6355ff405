"""Logs, exec, attach and port-forward: what flows past the store, between a client and the node's streams.

In: requests on subresources of pods. Out: a chunked answer (logs; over a WebSocket where that was asked for), or a
WebSocket in the protocol that the client offers: v5 or v4.channel.k8s.io or an elder for exec and attach, v4 or SPDY
frames in a tunnel for port-forward; or SPDY streams, where a client upgrades to them.
"""

import contextlib
from contextlib import aclosing

import orjson

from madang.api import errors
from madang.api.desk import Desk
from madang.api.resources import resource
from madang.ports.errors import BadRequest, StatusError, Unavailable
from madang.ports.objects import Key, Obj
from madang.ports.streams import ExecOptions, LogOptions, PodStreams
from madang.wire import answer, channels, forwarding, negotiate, raw
from madang.wire.answer import Receive, Scope, Send
from madang.wire.channels import choose
from madang.wire.frames import PLAIN, Frames
from madang.wire.protocol import SLASHED
from madang.wire.reading import number
from madang.wire.request import Request, Target
from madang.wire.spdy_session import AS_CHANNELS, Session

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


async def logs(
    desk: Desk, streams: PodStreams | None, request: Request, found: Target, receive: Receive, send: Send
) -> None:
    pod = the_pod(desk, found)
    options = log_options(request, pod)
    if not (pod.get("spec") or {}).get("nodeName"):
        # A pod that has no node has no log: an empty answer, as the API server gives.
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    negotiate.accepted(request.headers.get("accept", "").replace("text/plain", "*/*"))
    lines = _given(streams).logs(found.namespace or "", found.name, options)
    until_gone = channels.until_gone(receive, request.closing)
    async with aclosing(lines) as flow, until_gone as leaving:  # type: ignore[type-var]
        piece = await channels.first(anext(flow, None), leaving)
        await answer.begin_stream(send, b"text/plain; charset=utf-8" if not options.follow else b"text/plain")
        while piece is not None and not leaving.done():
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await channels.first(anext(flow, None), leaving)
    await send({"type": "http.response.body", "body": b""})


async def logs_socket(
    node: PodStreams, request: Request, pod: Obj, offered: list[str], receive: Receive, send: Send
) -> None:
    """The log as messages, in pieces that are cut anywhere."""
    frames = Frames(choose(offered, PLAIN) if offered else "", send)
    lines = node.logs(str(pod["metadata"]["namespace"]), str(pod["metadata"]["name"]), log_options(request, pod))
    async with aclosing(lines) as flow:  # type: ignore[type-var]
        piece = await anext(flow, None)  # a refusal comes before the handshake
        await receive()  # websocket.connect
        await frames.accept()
        async with channels.until_gone(receive, request.closing) as leaving:
            while piece is not None and not leaving.done():
                if piece:
                    await frames.plain(piece)
                piece = await channels.first(anext(flow, None), leaving)
    await frames.close()


def the_pod(desk: Desk, found: Target) -> Obj:
    entry = desk.store.get(Key("pods", found.namespace or "", found.name))
    if entry is None:
        raise errors.not_found(resource("pods").row, found.name)
    return entry.obj


def log_options(request: Request, pod: Obj) -> LogOptions:
    seconds = number(request, "sinceSeconds")
    if seconds is not None and request.query.get("sinceTime"):
        raise BadRequest("at most one of `sinceTime` or `sinceSeconds` may be specified")
    return LogOptions(
        container=container(request, pod),
        follow=request.flag("follow"),
        previous=request.flag("previous"),
        timestamps=request.flag("timestamps"),
        tail_lines=number(request, "tailLines"),
        since_s=float(seconds) if seconds is not None else None,
        since_time=request.query.get("sinceTime", ""),
        limit_bytes=number(request, "limitBytes"),
        stream=request.query.get("stream", "") or "All",
    )


def container(request: Request, pod: Obj) -> str:
    """The one that is asked for, or the pod's only one."""
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    plain = [c["name"] for c in spec.get("containers") or ()]
    init = [c["name"] for c in spec.get("initContainers") or ()]
    asked = request.query.get("container", "")
    if asked:
        if asked not in (*plain, *init):
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked
    if len(plain) == 1 and not init:
        return str(plain[0])
    if len(plain) == 1 and init:
        more = f" or one of the init containers: [{' '.join(init)}]"
    else:
        more = f", choose one of: [{' '.join(plain)}]" + (
            f" or one of the init containers: [{' '.join(init)}]" if init else ""
        )
    default = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if default in plain:
        return str(default)
    if len(plain) == 1:
        return str(plain[0])
    raise BadRequest(f"a container name must be specified for pod {name}{more}")


def exec_options(request: Request, pod: Obj) -> ExecOptions:
    return ExecOptions(
        container=container(request, pod),
        command=tuple(request.every("command")),
        stdin=request.flag("stdin"),
        tty=request.flag("tty"),
    )


async def upgrade(
    desk: Desk,
    streams: PodStreams | None,
    request: Request,
    found: Target,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """A WebSocket, from its handshake to its end. What can be refused is refused before the handshake."""
    pod = the_pod(desk, found)
    node = _given(streams)
    slashed = request.headers.get(SLASHED.decode(), "").split(",")
    offered = [*(scope.get("subprotocols") or ()), *(part.strip() for part in slashed if part)]
    spdy = raw.EXTENSION in (scope.get("extensions") or {})
    if found.subresource == "log":
        await logs_socket(node, request, pod, offered, receive, send)
        return
    if found.subresource == "portforward":
        known = forwarding.SPDY_PROTOCOLS if spdy else forwarding.PROTOCOLS
        await forwarding.run(node, request, found, choose(offered, known), receive, send)
        return
    if found.subresource == "exec" and not request.every("command"):
        raise BadRequest("you must specify at least one command for the container")
    options = exec_options(request, pod)
    attached = found.subresource == "attach"
    start = node.attach if attached else node.exec
    if spdy:
        session = Session(receive, send)
        if not await session.open(request, offered):
            await send({"type": "websocket.close", "code": 1000})
            return
        offered, receive, send = list(AS_CHANNELS), session.receive, session.send
    await channels.run(
        lambda: start(found.namespace or "", found.name, options),
        request, offered, receive, send, tells_code=not attached,
    )  # fmt: skip


def check_upgrade(desk: Desk, streams: PodStreams | None, request: Request, found: Target) -> None:
    """A plain request where a WebSocket is needed: the true refusal first, if there is one."""
    pod = the_pod(desk, found)
    _given(streams)
    if found.subresource != "portforward":
        exec_options(request, pod)
    raise BadRequest("Upgrade request required")


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: StatusError) -> None:
    """An HTTP answer to a handshake."""
    with contextlib.suppress(Exception):
        await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.message[:100]})
        return
    body = orjson.dumps(refusal.body())
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": refusal.code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _given(streams: PodStreams | None) -> PodStreams:
    if streams is None:
        raise Unavailable("no node runs here: there is nobody to ask for streams of pods")
    return streams
