"""POST, PUT, PATCH, DELETE: the query and body read into the verb's own options, the outcome sent.

In: a request and its body. Out: an answer. Query parameters that say what they may not are the API's 422.
"""

from collections.abc import Mapping
from typing import Any, cast

import orjson

from madang.api import delete as deleting
from madang.api import delete_collection as clearing
from madang.api import errors, verbs
from madang.api.desk import Desk, Outcome
from madang.api.resources import Resource
from madang.api.subresources import binding
from madang.ports.api import DeleteOptions, PatchType, WriteOptions
from madang.ports.errors import BadRequest
from madang.wire import answer, negotiate, shapes
from madang.wire.answer import Send
from madang.wire.body import given_body
from madang.wire.reading import list_options, number
from madang.wire.request import Request, Target

VALIDATIONS = ("", "Ignore", "Strict", "Warn")
PROPAGATIONS = ("Foreground", "Background", "Orphan")


async def create(desk: Desk, request: Request, resource: Resource, found: Target, body: bytes, send: Send) -> None:
    form = negotiate.accepted(request.headers.get("accept", ""))
    options = write_options(request, "CreateOptions")
    given = given_body(request, body)
    if resource.row.id == "bindings" and not found.subresource:
        done = await binding.create(desk, found.namespace or "", given, options)
    else:
        done = await verbs.post(desk, request.user, found.aim(resource), given, options)
    await _send(desk, request, resource, found, form, done, 201, send)


async def update(desk: Desk, request: Request, resource: Resource, found: Target, body: bytes, send: Send) -> None:
    form = negotiate.accepted(request.headers.get("accept", ""))
    options = write_options(request, "UpdateOptions")
    given = given_body(request, body)
    done = await verbs.put(desk, request.user, found.aim(resource), given, options)
    await _send(desk, request, resource, found, form, done, 200, send)


async def patch(desk: Desk, request: Request, resource: Resource, found: Target, body: bytes, send: Send) -> None:
    style = cast(PatchType, negotiate.patch_style(request.headers.get("content-type", "")))
    form = negotiate.accepted(request.headers.get("accept", ""))
    options = write_options(request, "PatchOptions", apply=style == "apply")
    done = await verbs.patch(desk, request.user, found.aim(resource), body, style, options)
    await _send(desk, request, resource, found, form, done, 201 if done.created else 200, send)


async def delete(desk: Desk, request: Request, resource: Resource, found: Target, body: bytes, send: Send) -> None:
    form = negotiate.accepted(request.headers.get("accept", ""))
    options = delete_options(request, body)
    done = await deleting.delete(desk, request.user, resource, found.namespace or "", found.name, options)
    await _send(desk, request, resource, found, form, done, 200, send)


async def delete_collection(
    desk: Desk, request: Request, resource: Resource, found: Target, body: bytes, send: Send
) -> None:
    options = delete_options(request, body)
    done = await clearing.delete_collection(
        desk, request.user, resource, found.namespace or "", list_options(request), options
    )
    await answer.send_bytes(send, 200, orjson.dumps(done.answer))


DO = {"create": create, "update": update, "patch": patch, "delete": delete, "deletecollection": delete_collection}


async def _send(
    desk: Desk, request: Request, resource: Resource, found: Target, form: negotiate.Form, done: Outcome, status: int,
    send: Send,
) -> None:  # fmt: skip
    body = done.answer
    if form.shape and body.get("kind") == resource.row.kind:
        data = shapes.one(desk, resource, form, body, request)
    elif done.entry is not None and resource.conversion is None and not found.subresource:
        data = done.entry.data
    elif body.get("kind") == resource.row.kind:
        data = orjson.dumps(resource.served(body))
    else:
        data = orjson.dumps(body)
    await answer.send_bytes(send, status, data, media=form.media, warnings=done.warnings)


def write_options(request: Request, kind: str, *, apply: bool = False) -> WriteOptions:
    asked = request.query
    dry = [value for value in request.every("dryRun") if value]
    if any(value != "All" for value in dry):
        listed = orjson.dumps(dry).decode()
        raise errors.option(
            kind, "dryRun", "FieldValueNotSupported", f'Unsupported value: {listed}: supported values: "All"'
        )
    validation = asked.get("fieldValidation", "")
    if validation not in VALIDATIONS:
        names = ", ".join(f'"{name}"' for name in VALIDATIONS)
        message = f'Unsupported value: "{validation}": supported values: {names}'
        raise errors.option(kind, "fieldValidation", "FieldValueNotSupported", message)
    if kind == "PatchOptions" and not apply and "force" in asked:
        message = "Forbidden: may not be specified for non-apply patch"
        raise errors.option(kind, "force", "FieldValueForbidden", message)
    manager = asked.get("fieldManager", "")
    if len(manager) > 128:
        message = "Too long: may not be more than 128 bytes"
        raise errors.option(kind, "fieldManager", "FieldValueTooLong", message)
    return WriteOptions(
        dry_run=bool(dry),
        field_manager=manager if manager or apply else _agent(request),
        field_validation=validation or "Warn",  # type: ignore[arg-type]
        force=request.flag("force"),
    )


def _agent(request: Request) -> str:
    """The field manager of who names none: the first word of its user agent."""
    return request.headers.get("user-agent", "").split("/")[0][:128] or "unknown"


def delete_options(request: Request, body: bytes) -> DeleteOptions:
    """From the body, else from the query."""
    given = _options_body(request, body) if body else {}
    asked = request.query
    grace = given.get("gracePeriodSeconds")
    if grace is None:
        grace = number(request, "gracePeriodSeconds")
    propagation: Any = given.get("propagationPolicy") or asked.get("propagationPolicy") or None
    orphan = given.get("orphanDependents")
    if orphan is None and asked.get("orphanDependents"):
        orphan = request.flag("orphanDependents")
    if propagation is not None and orphan is not None:
        message = f'Invalid value: "{propagation}": orphanDependents and deletionPropagation cannot be both set'
        raise errors.option("DeleteOptions", "propagationPolicy", "FieldValueInvalid", message)
    if propagation is not None and propagation not in PROPAGATIONS:
        names = ", ".join(f'"{name}"' for name in (*PROPAGATIONS, "nil"))
        message = f'Unsupported value: "{propagation}": supported values: {names}'
        raise errors.option("DeleteOptions", "propagationPolicy", "FieldValueNotSupported", message)
    if orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    dry = given.get("dryRun") or [value for value in request.every("dryRun") if value]
    if any(value != "All" for value in dry):
        listed = orjson.dumps(dry).decode()
        message = f'Unsupported value: {listed}: supported values: "All"'
        raise errors.option("DeleteOptions", "dryRun", "FieldValueNotSupported", message)
    conditions = given.get("preconditions") or {}
    return DeleteOptions(
        grace_s=grace,
        uid=conditions.get("uid"),
        revision=conditions.get("resourceVersion"),
        propagation=propagation,
        dry_run=bool(dry),
    )


# Of a DeleteOptions: JSON's type, and how Go's decoder names it and what it met instead.
_FIELDS: Mapping[str, tuple[type, str]] = {
    "gracePeriodSeconds": (int, "int64"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
    "orphanDependents": (bool, "bool"),
    "preconditions": (dict, "v1.Preconditions"),
    "dryRun": (list, "[]string"),
}
_MET = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def _options_body(request: Request, body: bytes) -> dict[str, Any]:
    given = _decoded(request, body)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadRequest("couldn't get version/kind; json parse error: the body is no DeleteOptions")
    for name, (wanted, go) in _FIELDS.items():
        value = given.get(name)
        if value is not None and type(value) is not wanted:
            met = _MET.get(type(value), "value")
            raise BadRequest(
                'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal '
                f"{met} into Go struct field DeleteOptions.{name} of type {go}"
            )
    return given


def _decoded(request: Request, body: bytes) -> Any:
    given = given_body(request, body)
    if not isinstance(given, bytes):
        return given
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError as fault:
        raise BadRequest(f"couldn't get version/kind; json parse error: {fault}") from fault
