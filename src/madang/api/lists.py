"""GET of a collection: pages as of one revision.

In: selectors, limit, continue, resourceVersion. Out: a `Page`. The continue token is Kubernetes' own form: base64 of
{"v":"meta.k8s.io/v1","rv":REVISION,"start":KEY}, so that the pages of one list show one moment.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from madang.api import errors
from madang.api.desk import Desk
from madang.api.resources import Resource
from madang.api.selection import Selection, selection
from madang.ports.api import ListOptions, Page
from madang.ports.errors import BadRequest, StatusError
from madang.ports.objects import Entry, Key
from madang.store.model import HistoryGone, Listing

CHUNK = 512  # read at once where a selector throws some away


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page goes on: behind `after`, as of `revision` (None: as of now, said to be inconsistent)."""

    revision: int | None
    after: tuple[str, str]


def page(desk: Desk, resource: Resource, namespace: str | None, options: ListOptions) -> Page:
    chosen = selection(resource, options.labels, options.fields)
    if chosen.namespace is not None and namespace is None and resource.row.namespaced:
        namespace = chosen.namespace
    place, at = _where(desk, namespace, options)
    try:
        if chosen.everything:
            return _plain(desk, resource, namespace, options.limit, place, at)
        if chosen.name is not None and (namespace is not None or not resource.row.namespaced) and at is None:
            return _single(desk, resource, namespace or "", chosen)
        return _chosen(desk, resource, namespace, chosen, options.limit, place, at)
    except HistoryGone as gone:
        if place is not None:
            raise errors.ExpiredContinue(_token(None, namespace, place.after)) from gone
        raise errors.expired(gone.asked, gone.oldest) from gone


def _where(desk: Desk, namespace: str | None, options: ListOptions) -> tuple[Place | None, int | None]:
    check_options(options)
    if options.continue_:
        place = _read_token(options.continue_, namespace)
        return place, place.revision
    asked = revision(options.revision)
    if options.match == "Exact" or (options.limit and asked and not options.match):
        not_from_the_future(desk, asked)
        return None, asked
    not_from_the_future(desk, asked)
    return None, None


def check_options(options: ListOptions) -> None:
    if not options.match:
        return
    field = "resourceVersionMatch"
    if not options.revision:
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise errors.option("ListOptions", field, "FieldValueForbidden", why)
    if options.continue_:
        why = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
        raise errors.option("ListOptions", field, "FieldValueForbidden", why)
    if options.match not in ("Exact", "NotOlderThan"):
        why = f'Unsupported value: "{options.match}": supported values: "Exact", "NotOlderThan", ""'
        raise errors.option("ListOptions", field, "FieldValueNotSupported", why)
    if options.match == "Exact" and options.revision == "0":
        why = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        raise errors.option("ListOptions", field, "FieldValueForbidden", why)


def revision(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit():
        raise BadRequest(
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def not_from_the_future(desk: Desk, asked: int) -> None:
    """A revision that does not exist yet: the API waits three seconds for it and then says so; here it can't come."""
    if asked > desk.store.revision:
        raise StatusError(
            f"Too large resource version: {asked}, current: {desk.store.revision}",
            code=504,
            reason="Timeout",
            details={
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
        )


def _plain(
    desk: Desk, resource: Resource, namespace: str | None, limit: int, place: Place | None, at: int | None
) -> Page:
    listing = desk.store.list(resource.row.id, namespace, after=place.after if place else None, limit=limit, at=at)
    return _answer(listing, listing.entries, namespace, listing.remaining, counted=True)


def _single(desk: Desk, resource: Resource, namespace: str, chosen: Selection) -> Page:
    now = desk.store.revision
    entry = desk.store.get(Key(resource.row.id, namespace, chosen.name or ""))
    return Page(entries=[entry] if entry is not None and chosen.holds(entry) else [], revision=str(now))


def _chosen(
    desk: Desk,
    resource: Resource,
    namespace: str | None,
    chosen: Selection,
    limit: int,
    place: Place | None,
    at: int | None,
) -> Page:
    found: list[Entry] = []
    after = place.after if place else None
    while True:
        step = max(CHUNK, limit) if limit else 0
        listing = desk.store.list(resource.row.id, namespace, terms=chosen.terms, after=after, limit=step, at=at)
        found += [entry for entry in listing.entries if chosen.holds(entry)]
        if limit and len(found) > limit:
            return _answer(listing, found[:limit], namespace, 1, counted=False)
        if not listing.remaining:
            return _answer(listing, found, namespace, 0, counted=False)
        last = listing.entries[-1].key
        after, at = (last.namespace, last.name), listing.revision


def _answer(
    listing: Listing, entries: Sequence[Entry], namespace: str | None, remaining: int, *, counted: bool
) -> Page:
    if not remaining or not entries:
        return Page(entries=entries, revision=str(listing.revision))
    last = entries[-1].key
    token = _token(listing.revision, namespace, (last.namespace, last.name))
    return Page(
        entries=entries, revision=str(listing.revision), continue_=token, remaining=remaining if counted else None
    )


def _token(at: int | None, namespace: str | None, after: tuple[str, str]) -> str:
    start = f"/{after[1]}\0" if namespace is not None else f"/{after[0]}/{after[1]}\0"
    body = orjson.dumps({"v": "meta.k8s.io/v1", "rv": -1 if at is None else at, "start": start})
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def _read_token(text: str, namespace: str | None) -> Place:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise BadRequest(f"continue key is not valid: illegal base64 data at input byte {len(text)}") from None
    try:
        body = orjson.loads(raw)
        start, at = str(body["start"]), int(body["rv"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        first = repr(chr(raw[0])) if raw[:1].isascii() and raw else f"'\\x{raw[0]:02x}'" if raw else "'\\x00'"
        raise BadRequest(
            f"invalid continue token: continue key is not valid: invalid character {first} looking for beginning "
            "of value"
        ) from None
    parts = start.rstrip("\0").lstrip("/").split("/")
    if namespace is not None:
        after = (namespace, parts[-1])
    else:
        after = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
    return Place(revision=None if at < 0 else at, after=after)
