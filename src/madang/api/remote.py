"""The API from outside the house: `ports.api.Api` over the unix socket or HTTPS (command line, tests, workers).

In: kinds by group resource, decoded objects. Out: decoded objects, or `StatusError` as the server said it. Which path
a kind has is read from the same kind table that the server serves.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import orjson

from madang.api import errors
from madang.api.http import Answer, Http, Place
from madang.kinds.kind import Kind as Row
from madang.kinds.table import by_id
from madang.ports.api import DeleteOptions, ListOptions, Page, PatchType, User, WriteOptions, Written
from madang.ports.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    NotFound,
    StatusError,
    TooManyRequests,
    Unavailable,
)
from madang.ports.objects import Change, Key, Kind, Obj, ref
from madang.ports.streams import LogOptions

_WRITE, _DELETE, _LIST = WriteOptions(), DeleteOptions(), ListOptions()
_REASONS: Mapping[str, type[StatusError]] = {
    one.reason: one
    for one in (AlreadyExists, BadRequest, Conflict, Expired, Forbidden, NotFound, TooManyRequests, Unavailable)
}
_PATCHES: Mapping[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class RemoteEntry:
    """An object as it came over the wire."""

    __slots__ = ("data", "key", "obj", "revision")

    def __init__(self, kind: Kind, obj: Obj) -> None:
        meta = obj.get("metadata") or {}
        self.key = Key(kind, meta.get("namespace", ""), meta.get("name", ""))
        self.revision = int(meta.get("resourceVersion") or 0)
        self.obj = obj
        self.data = orjson.dumps(obj)


class RemoteApi:
    """`agent` is what the server takes as the field manager of writes that name none."""

    def __init__(self, place: Place, *, agent: str = "madang") -> None:
        self._place = place
        self._agent = agent
        self._headers = {"Accept": "application/json", "User-Agent": f"{agent}/1"}
        self.http = Http(place)

    @classmethod
    def over_unix(cls, socket: str | Path, *, agent: str = "madang") -> "RemoteApi":
        """Through the house's own door: as the admin."""
        return cls(Place(socket=Path(socket)), agent=agent)

    @classmethod
    def over_https(cls, url: str, ca_pem: str, token: str, *, agent: str = "madang") -> "RemoteApi":
        parts = urlsplit(url)
        place = Place(host=parts.hostname or "127.0.0.1", port=parts.port or 443, ca_pem=ca_pem, token=token)
        return cls(place, agent=agent)

    async def close(self) -> None:
        self.http.close()

    def as_(self, user: User) -> "RemoteApi":
        """Outside one is who one's token says: there is nobody else to be."""
        return self

    async def get(self, kind: Kind, namespace: str, name: str, *, subresource: str = "") -> Obj:
        return decoded(await self._ask("GET", path(by_id(kind), namespace, name, subresource)))

    async def list(self, kind: Kind, namespace: str | None = None, options: ListOptions = _LIST) -> Page:
        row = by_id(kind)
        body = decoded(await self._ask("GET", path(row, namespace), query=_list_query(options)))
        head = {"kind": row.kind, "apiVersion": row.api_version}
        meta = body["metadata"]
        return Page(
            entries=[RemoteEntry(kind, {**head, **item}) for item in body["items"]],
            revision=meta.get("resourceVersion", ""),
            continue_=meta.get("continue", ""),
            remaining=meta.get("remainingItemCount"),
        )

    async def watch(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        since: str = "",
        bookmarks: bool = False,
        timeout_s: float | None = None,
    ) -> AsyncIterator[Change]:
        asked = {"watch": "1", "labelSelector": labels, "fieldSelector": fields, "resourceVersion": since}
        asked["allowWatchBookmarks"] = "true" if bookmarks else ""
        asked["timeoutSeconds"] = str(max(1, round(timeout_s))) if timeout_s is not None else ""
        where = with_query(path(by_id(kind), namespace), asked)
        async with self.http.stream("GET", where, headers=self._headers) as (answer, pieces):
            if answer.status != 200:
                answer.body = b"".join([piece async for piece in pieces])
                raise refusal(answer)
            rest = b""
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    said = orjson.loads(line)
                    if said["type"] == "ERROR":
                        raise _error(said["object"])
                    yield Change(said["type"], RemoteEntry(kind, said["object"]))

    async def create(
        self,
        kind: Kind,
        obj: Obj,
        *,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        options: WriteOptions = _WRITE,
    ) -> Written:
        row = by_id(kind)
        where = namespace or (obj.get("metadata") or {}).get("namespace") or ("default" if row.namespaced else "")
        body = {"kind": row.kind, "apiVersion": row.api_version, **obj} if not subresource else obj
        target = path(row, where, name if subresource else "", subresource)
        return written(await self._ask("POST", target, body, query=_write_query(options)))

    async def update(self, kind: Kind, obj: Obj, *, subresource: str = "", options: WriteOptions = _WRITE) -> Written:
        namespace, name = ref(obj)
        target = path(by_id(kind), namespace, name, subresource)
        return written(await self._ask("PUT", target, obj, query=_write_query(options)))

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: Obj | Sequence[Mapping[str, object]] | bytes,
        *,
        style: PatchType = "merge",
        subresource: str = "",
        options: WriteOptions = _WRITE,
    ) -> Written:
        asked = _write_query(options)
        if style == "apply":
            asked["force"] = "true" if options.force else ""
            asked["fieldManager"] = options.field_manager or self._agent
        target = path(by_id(kind), namespace, name, subresource)
        return written(await self._ask("PATCH", target, patch, query=asked, media=_PATCHES[style]))

    async def delete(self, kind: Kind, namespace: str, name: str, options: DeleteOptions = _DELETE) -> Obj:
        return decoded(await self._ask("DELETE", path(by_id(kind), namespace, name), _deletion(options)))

    async def delete_collection(
        self, kind: Kind, namespace: str, selection: ListOptions = _LIST, options: DeleteOptions = _DELETE
    ) -> Obj:
        target = path(by_id(kind), namespace or None)
        return decoded(await self._ask("DELETE", target, _deletion(options), query=_list_query(selection)))

    async def logs(self, namespace: str, pod: str, options: LogOptions) -> AsyncIterator[bytes]:
        """As `ports.streams.PodStreams` gives them; the rest of that port needs a WebSocket."""
        where = with_query(path(by_id("pods"), namespace, pod, "log"), _log_query(options))
        async with self.http.stream("GET", where, headers=self._headers) as (answer, pieces):
            if answer.status >= 400:
                answer.body = b"".join([piece async for piece in pieces])
                raise refusal(answer)
            async for piece in pieces:
                yield piece

    async def _ask(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        media: str = "application/json",
    ) -> Answer:
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        headers = self._headers | ({"Content-Type": media} if data else {})
        answer = await self.http.request(method, with_query(target, query or {}), data, headers)
        if answer.status >= 400:
            raise refusal(answer)
        return answer


def path(row: Row, namespace: str | None, name: str = "", subresource: str = "") -> str:
    parts = ["apis", row.group, row.version] if row.group else ["api", row.version]
    if row.namespaced and namespace:
        parts += ["namespaces", namespace]
    elif row.namespaced and name:
        raise errors.no_resource()
    parts += [part for part in (row.plural, name, subresource) if part]
    return "/" + "/".join(quote(part, safe="") for part in parts)


def with_query(target: str, query: Mapping[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    return f"{target}?{urlencode(given)}" if given else target


def decoded(answer: Answer) -> Obj:
    found: Obj = orjson.loads(answer.body)
    return found


def written(answer: Answer) -> Written:
    said = [value.partition('"')[2].rpartition('"')[0] for value in answer.all("warning")]
    warnings = tuple(text.replace('\\"', '"').replace("\\\\", "\\") for text in said)
    return Written(obj=decoded(answer), created=answer.status == 201, warnings=warnings)


def refusal(answer: Answer) -> StatusError:
    try:
        status = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        text = answer.body.decode("utf-8", "replace").strip()
        return StatusError(text or f"the API answered {answer.status}", code=answer.status, reason="")
    return _error(status, answer.status)


def _error(status: Obj, code: int = 500) -> StatusError:
    reason = status.get("reason", "")
    kind = _REASONS.get(reason, StatusError)
    made = kind(status.get("message", ""), details=status.get("details"))
    made.code, made.reason = status.get("code", code), reason
    return made


def _list_query(options: ListOptions) -> dict[str, str]:
    return {
        "labelSelector": options.labels,
        "fieldSelector": options.fields,
        "limit": str(options.limit or ""),
        "continue": options.continue_,
        "resourceVersion": options.revision,
        "resourceVersionMatch": options.match,
    }


def _write_query(options: WriteOptions) -> dict[str, str]:
    return {
        "dryRun": "All" if options.dry_run else "",
        "fieldManager": options.field_manager,
        "fieldValidation": options.field_validation,
    }


def _deletion(options: DeleteOptions) -> Obj | None:
    if options == replace(_DELETE):
        return None
    conditions = {"uid": options.uid, "resourceVersion": options.revision}
    body: Obj = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "gracePeriodSeconds": options.grace_s,
        "propagationPolicy": options.propagation,
        "preconditions": {k: v for k, v in conditions.items() if v} or None,
        "dryRun": ["All"] if options.dry_run else None,
    }
    return {k: v for k, v in body.items() if v is not None}


def _log_query(options: LogOptions) -> dict[str, str]:
    return {
        "container": options.container,
        "follow": "true" if options.follow else "",
        "previous": "true" if options.previous else "",
        "timestamps": "true" if options.timestamps else "",
        "tailLines": "" if options.tail_lines is None else str(options.tail_lines),
        "sinceSeconds": "" if options.since_s is None else str(int(options.since_s)),
        "sinceTime": options.since_time,
        "limitBytes": "" if options.limit_bytes is None else str(options.limit_bytes),
        "stream": "" if options.stream == "All" else options.stream,
    }
