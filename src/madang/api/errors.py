"""The API's refusals, word for word (apimachinery api/errors): one function a refusal.

In: the kind's row and what was asked. Out: `StatusError` values to raise. Details name the group resource,
except where the API itself names the kind (422).
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.status import invalid
from madang.kinds.kind import Kind
from madang.ports.errors import AlreadyExists, BadRequest, Conflict, Expired, Forbidden, Invalid, NotFound, StatusError
from madang.ports.objects import Obj

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def details(row: Kind, name: str = "") -> dict[str, Any]:
    found = {"name": name, "group": row.group, "kind": row.plural}
    return {k: v for k, v in found.items() if v}


def not_found(row: Kind, name: str) -> NotFound:
    return NotFound(f'{row.id} "{name}" not found', details=details(row, name))


def no_resource() -> NotFound:
    """A path that nothing serves."""
    return NotFound("the server could not find the requested resource", details={})


def no_method() -> StatusError:
    return StatusError(
        "the server does not allow this method on the requested resource",
        code=405,
        reason="MethodNotAllowed",
        details={},
    )


def exists(row: Kind, name: str, dying: bool = False) -> AlreadyExists:
    said = f'{row.id} "{name}" already exists'
    return AlreadyExists(f"object is being deleted: {said}" if dying else said, details=details(row, name))


def modified(row: Kind, name: str) -> Conflict:
    return conflict(row, name, MODIFIED)


def conflict(row: Kind, name: str, why: str, subresource: str = "") -> Conflict:
    what = f"{row.id}/{subresource}" if subresource else row.id
    found = details(row, name)
    if subresource:
        found["kind"] = f"{row.plural}/{subresource}"
    return Conflict(f'Operation cannot be fulfilled on {what} "{name}": {why}', details=found)


def other_incarnation(row: Kind, namespace: str, name: str, asked: str, found: str) -> Conflict:
    key = "/".join(part for part in ("/registry", row.group, row.plural, namespace, name) if part)
    return conflict(
        row,
        name,
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
        f"failed: UID in precondition: {asked}, UID in object meta: {found}",
    )


def precondition_uid(row: Kind, name: str, asked: str, found: str) -> Conflict:
    """On delete the API names the kind where elsewhere it names the resource."""
    return Conflict(
        f'Operation cannot be fulfilled on {_qualified(row)} "{name}": the UID in the precondition ({asked}) does not '
        f"match the UID in record ({found}). The object might have been deleted and then recreated",
        details=_by_kind(row, name),
    )


def precondition_revision(row: Kind, name: str, asked: str, found: str) -> Conflict:
    return Conflict(
        f'Operation cannot be fulfilled on {_qualified(row)} "{name}": the ResourceVersion in the precondition '
        f"({asked}) does not match the ResourceVersion in record ({found}). The object might have been modified",
        details=_by_kind(row, name),
    )


def forbidden(row: Kind, name: str, why: str, **more: Any) -> Forbidden:
    return Forbidden(f'{row.id} "{name}" is forbidden: {why}', details={**details(row, name), **more})


def wrong_name(inside: str, asked: str) -> BadRequest:
    return BadRequest(f"the name of the object ({inside}) does not match the name on the URL ({asked})")


def wrong_namespace() -> BadRequest:
    return BadRequest("the namespace of the provided object does not match the namespace sent on the request")


def option(kind: str, field: str, reason: str, message: str) -> Invalid:
    """A query parameter or an options object that says what it may not (`kind` e.g. ListOptions)."""
    return invalid(kind, "meta.k8s.io", "", [Cause(field, reason, message)])


def expired(asked: int, oldest: int) -> Expired:
    return Expired(f"too old resource version: {asked} ({oldest})")


class ExpiredContinue(Expired):
    """The 410 of a page whose revision is gone: it carries a token to go on with, inconsistently."""

    def __init__(self, continue_: str) -> None:
        super().__init__(
            "The provided continue parameter is too old to display a consistent list result. You can start a new "
            "list without the continue parameter, or use the continue token in this response to retrieve the "
            "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
            "that were created, modified, or deleted between the time the first chunk was returned and now may show "
            "up in the list."
        )
        self.continue_ = continue_

    def body(self) -> Obj:
        return {**super().body(), "metadata": {"continue": self.continue_}}


def _qualified(row: Kind) -> str:
    return f"{row.kind}.{row.group}" if row.group else row.kind


def _by_kind(row: Kind, name: str) -> dict[str, Any]:
    found = {"name": name, "group": row.group, "kind": row.kind}
    return {k: v for k, v in found.items() if v}
