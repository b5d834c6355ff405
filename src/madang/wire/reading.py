"""GET of an object and of a collection: bytes of the store, spliced; or Tables and partial objects where asked.

In: a request. Out: an answer. An item of a list goes without `kind` and `apiVersion`, so each entry's known head is
cut off and the rest is joined: nothing is decoded.
"""

import orjson

from madang.api import get as getting
from madang.api import lists
from madang.api.desk import Desk
from madang.api.resources import Resource
from madang.api.samples import sampled_all
from madang.ports.api import ListOptions, Page
from madang.ports.errors import BadRequest
from madang.ports.objects import Entry, Obj
from madang.wire import answer, negotiate, shapes
from madang.wire.answer import Send
from madang.wire.request import Request, Target


async def get(desk: Desk, request: Request, resource: Resource, found: Target, send: Send) -> None:
    form = negotiate.accepted(request.headers.get("accept", ""))
    lists.revision(request.query.get("resourceVersion", ""))
    got = getting.get(desk, found.aim(resource))
    if form.shape and form.shape != "PartialObjectMetadataList":
        body = shapes.one(desk, resource, form, got.answer, request, found.subresource)
    elif got.entry is not None and resource.conversion is None:
        body = got.entry.data
    else:
        body = orjson.dumps(got.answer if found.subresource == "scale" else resource.served(got.answer))
    await answer.send_bytes(send, 200, body, media=form.media)


async def listing(desk: Desk, request: Request, resource: Resource, found: Target, send: Send) -> None:
    form = negotiate.accepted(request.headers.get("accept", ""))
    options = list_options(request)
    if resource.row.group == "metrics.k8s.io":
        items = sampled_all(desk, resource, found.namespace, options)
        page = Page(entries=[], revision=str(desk.store.revision))
        body = (
            _objects(resource, items, page)
            if not form.shape
            else shapes.many(desk, resource, form, items, page, request)
        )
    else:
        page = lists.page(desk, resource, found.namespace, options)
        if form.shape:
            body = shapes.many(desk, resource, form, [resource.served(e.obj) for e in page.entries], page, request)
        elif resource.conversion is not None:
            body = _objects(resource, [resource.served(e.obj) for e in page.entries], page)
        else:
            body = spliced(resource, page)
    gzipped = "gzip" in request.headers.get("accept-encoding", "")
    await answer.send_bytes(send, 200, body, media=form.media, gzipped=gzipped)


def list_options(request: Request) -> ListOptions:
    asked = request.query
    return ListOptions(
        labels=asked.get("labelSelector", ""),
        fields=asked.get("fieldSelector", ""),
        limit=number(request, "limit") or 0,
        continue_=asked.get("continue", ""),
        revision=asked.get("resourceVersion", ""),
        match=asked.get("resourceVersionMatch", ""),  # type: ignore[arg-type]  # checked by the verb
    )


def number(request: Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if not text:
        return None
    digits = text[1:] if text[0] in "+-" else text
    if not digits.isascii() or not digits.isdigit():
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def page_meta(page: Page) -> Obj:
    meta: Obj = {"resourceVersion": page.revision}
    if page.continue_:
        meta["continue"] = page.continue_
    if page.remaining:
        meta["remainingItemCount"] = page.remaining
    return meta


def spliced(resource: Resource, page: Page) -> bytes:
    head = resource.head
    size = len(head)
    start = b'{"kind":"%sList","apiVersion":"%s","metadata":%s,"items":[' % (
        resource.row.kind.encode(),
        resource.api_version.encode(),
        orjson.dumps(page_meta(page)),
    )
    return start + b",".join([_item(entry, head, size) for entry in page.entries]) + b"]}"


def _item(entry: Entry, head: bytes, size: int) -> bytes:
    data = entry.data
    if data.startswith(head):
        return b"{" + data[size:]
    return orjson.dumps({k: v for k, v in entry.obj.items() if k not in ("kind", "apiVersion")})


def _objects(resource: Resource, items: list[Obj], page: Page) -> bytes:
    if resource.row.group != "metrics.k8s.io":
        items = [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in items]
    return orjson.dumps(
        {
            "kind": f"{resource.row.kind}List",
            "apiVersion": resource.api_version,
            "metadata": page_meta(page),
            "items": items,
        }
    )
