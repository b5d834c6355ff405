"""Other shapes of the same objects: Tables (what kubectl prints) and objects reduced to their metadata.

In: objects and the form asked for. Out: bytes of meta.k8s.io/v1 Table, PartialObjectMetadata(List).
"""

from collections.abc import Sequence
from typing import cast

import orjson

from madang.api.desk import Desk
from madang.api.resources import Resource
from madang.kinds.table_output import Include, table
from madang.ports.api import Page
from madang.ports.errors import BadRequest
from madang.ports.objects import Change, Obj
from madang.wire.negotiate import Form
from madang.wire.request import Request

INCLUDED = ("", "None", "Metadata", "Object")


def one(desk: Desk, resource: Resource, form: Form, obj: Obj, request: Request, subresource: str = "") -> bytes:
    if form.shape != "Table":
        return orjson.dumps(partial(form, obj))
    meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
    return orjson.dumps(_table(desk, resource, form, [obj], meta, request, subresource))


def many(desk: Desk, resource: Resource, form: Form, objs: Sequence[Obj], page: Page, request: Request) -> bytes:
    meta: Obj = {"resourceVersion": page.revision}
    if page.continue_:
        meta["continue"] = page.continue_
    if page.remaining:
        meta["remainingItemCount"] = page.remaining
    if form.shape == "Table":
        return orjson.dumps(_table(desk, resource, form, objs, meta, request))
    return orjson.dumps(
        {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": meta,
            "items": [partial(form, obj) for obj in objs],
        }
    )


def partial(form: Form, obj: Obj) -> Obj:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{form.version}",
        "metadata": obj["metadata"],
    }


def _table(
    desk: Desk, resource: Resource, form: Form, objs: Sequence[Obj], meta: Obj, request: Request, subresource: str = ""
) -> Obj:
    include = request.query.get("includeObject", "") or "Metadata"
    if include not in INCLUDED:
        raise BadRequest(f'unrecognized includeObject value: "{include}"')
    now, asked = desk.clock.now_s(), cast(Include, include)
    made = table(resource.row, objs, now, include=asked, metadata=meta, subresource=subresource)
    return {**made, "apiVersion": f"meta.k8s.io/{form.version}"}


class Watched:
    """The lines of a watch in another shape. Only the first Table names the columns."""

    def __init__(self, desk: Desk, resource: Resource, form: Form, request: Request) -> None:
        self._desk = desk
        self._resource = resource
        self._form = form
        self._request = request
        self._named = False

    def line(self, change: Change) -> bytes:
        obj = change.entry.obj
        if self._form.shape == "Table":
            if change.type == "BOOKMARK":
                obj = self._empty(obj)
            else:
                shown = [self._resource.served(obj)]
                meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
                obj = _table(self._desk, self._resource, self._form, shown, meta, self._request)
            if self._named:
                obj["columnDefinitions"] = None
            self._named = True
        else:
            obj = partial(self._form, obj)
        return orjson.dumps({"type": change.type, "object": obj}) + b"\n"

    def _empty(self, obj: Obj) -> Obj:
        return {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._form.version}",
            "metadata": obj["metadata"],
            "columnDefinitions": None,
            "rows": [],
        }
