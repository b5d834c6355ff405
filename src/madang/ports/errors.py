"""The one error that crosses rooms: the Kubernetes API's Status, made where the fault is understood.

In: code, reason, message, details. Out: an exception whose `body()` is the Status object on the wire.
Subclasses exist only for what callers branch on.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class StatusError(Exception):
    """An API refusal. `code` is the HTTP status, `reason` the API's own word for it (apimachinery meta/v1)."""

    code = 500
    reason = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else type(self).code
        self.reason = reason if reason is not None else type(self).reason
        self.details = dict(details) if details is not None else None

    def body(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }
        return {k: v for k, v in status.items() if v not in (None, "")}


class BadRequest(StatusError):
    code, reason = 400, "BadRequest"


class Forbidden(StatusError):
    code, reason = 403, "Forbidden"


class NotFound(StatusError):
    code, reason = 404, "NotFound"


class AlreadyExists(StatusError):
    code, reason = 409, "AlreadyExists"


class Conflict(StatusError):
    """The object has changed since it was read, or a precondition does not hold."""

    code, reason = 409, "Conflict"


class Expired(StatusError):
    """The revision asked for has left the history window: list again."""

    code, reason = 410, "Expired"


class Invalid(StatusError):
    """422: `details["causes"]` names each field."""

    code, reason = 422, "Invalid"

    def __init__(self, message: str, *, causes: Sequence[Mapping[str, str]] = (), **details: Any) -> None:
        super().__init__(message, details={**details, "causes": [dict(c) for c in causes]})


class TooManyRequests(StatusError):
    code, reason = 429, "TooManyRequests"


class Unavailable(StatusError):
    """The house cannot take this now (a full disk, say); nothing was written."""

    code, reason = 503, "ServiceUnavailable"
