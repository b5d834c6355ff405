"""Asking as somebody else (`kubectl --as`): the Impersonate headers.

In: the headers of one request, in order. Out: the User that it is to be done as. Whoever has entered may do this, as
every authenticated user may do everything; uid and extra values aren't kept here, so they are refused by name.
"""

from collections.abc import Iterable

from madang.ports.api import User
from madang.ports.errors import BadRequest, StatusError

HEADERS = ("impersonate-user", "impersonate-group", "impersonate-uid")
_ACCOUNT = "system:serviceaccount:"
ANONYMOUS, AUTHENTICATED = "system:anonymous", "system:authenticated"


def impersonated(headers: Iterable[tuple[bytes, bytes]]) -> User:
    name, groups = "", []
    for header, value in headers:
        if header == b"impersonate-user":
            name = value.decode("latin-1")
        elif header == b"impersonate-group":
            groups.append(value.decode("latin-1"))
        elif header == b"impersonate-uid" or header.startswith(b"impersonate-extra-"):
            raise BadRequest(f"{header.decode('latin-1')}: only a user and groups can be impersonated here")
    if not name:
        raise StatusError(f"requested {groups} without impersonating a user")
    return User(name, tuple(dict.fromkeys([*(groups or _of_account(name)), _entered(name)])))


def _of_account(name: str) -> list[str]:
    if not name.startswith(_ACCOUNT):
        return []
    namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]


def _entered(name: str) -> str:
    return "system:unauthenticated" if name == ANONYMOUS else AUTHENTICATED
