"""GET with watch: one JSON line a change, in the batches in which they were committed.

In: a request. Out: a stream of `{"type":"ADDED","object":...}` lines, the objects' bytes spliced. It ends when the
time is over, when the client leaves, or when it was too slow to follow.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import orjson

from madang.api import errors, watches
from madang.api.desk import Desk
from madang.api.lists import revision
from madang.api.resources import Resource
from madang.api.selection import selection
from madang.ports.errors import StatusError
from madang.ports.objects import Change
from madang.wire import answer, negotiate, shapes
from madang.wire.answer import Receive, Send
from madang.wire.reading import list_options, number
from madang.wire.request import Request, Target

LONGEST_S = 3600.0
_HEAD = {name: b'{"type":"%s","object":' % name.encode() for name in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")}


async def watch(desk: Desk, request: Request, resource: Resource, found: Target, receive: Receive, send: Send) -> None:
    form = negotiate.accepted(request.headers.get("accept", ""))
    options = list_options(request)
    fields = options.fields
    if found.name:
        fields = ",".join(part for part in (fields, f"metadata.name={found.name}") if part)
    timeout = number(request, "timeoutSeconds")
    initial = request.flag("sendInitialEvents")
    if options.match and not initial:
        raise _no_match()
    revision(options.revision)
    selection(resource, options.labels, fields)
    changes = watches.batches(
        desk,
        resource,
        found.namespace,
        labels=options.labels,
        fields=fields,
        since=options.revision,
        bookmarks=request.flag("allowWatchBookmarks"),
        timeout_s=float(timeout) if timeout else LONGEST_S,
        initial=initial,
    )
    lines = shapes.Watched(desk, resource, form, request) if form.shape else None
    async with aclosing(changes):
        try:
            first = await anext(changes, None) if options.revision in ("", "0") or initial else None
        except StatusError as refusal:
            if refusal.code != 410:
                raise
            await answer.begin_stream(send)
            await _send_error(send, refusal)
            await send({"type": "http.response.body", "body": b""})
            return
        await answer.begin_stream(send)
        if first:
            await _send(send, resource, lines, first)
        await _stream(changes, send, receive, request.closing, resource, lines)
    await send({"type": "http.response.body", "body": b""})


async def _stream(
    changes: AsyncIterator[Sequence[Change]],
    send: Send,
    receive: Receive,
    closing: asyncio.Event,
    resource: Resource,
    lines: "shapes.Watched | None",
) -> None:
    """Until the changes end or the client leaves, whatever comes first."""
    async with asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(answer.gone(receive, closing))
        sending = tasks.create_task(_send_all(changes, send, resource, lines))
        await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def _send_all(
    changes: AsyncIterator[Sequence[Change]], send: Send, resource: Resource, lines: "shapes.Watched | None"
) -> None:
    try:
        async for batch in changes:
            await _send(send, resource, lines, batch)
    except StatusError as refusal:
        await _send_error(send, refusal)


async def _send(send: Send, resource: Resource, lines: "shapes.Watched | None", batch: Sequence[Change]) -> None:
    if lines is not None:
        body = b"".join([lines.line(change) for change in batch])
    elif resource.conversion is not None:
        body = b"".join(
            [
                orjson.dumps({"type": c.type, "object": resource.served(c.entry.obj)}) + b"\n"
                if c.type != "BOOKMARK"
                else _HEAD[c.type] + c.entry.data + b"}\n"
                for c in batch
            ]
        )
    else:
        body = b"".join([_HEAD[change.type] + change.entry.data + b"}\n" for change in batch])
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_error(send: Send, refusal: StatusError) -> None:
    line = orjson.dumps({"type": "ERROR", "object": refusal.body()}) + b"\n"
    await send({"type": "http.response.body", "body": line, "more_body": True})


def _no_match() -> StatusError:
    message = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    return errors.option("ListOptions", "resourceVersionMatch", "FieldValueForbidden", message)
