"""Who a request is done as when it asks to be somebody else."""

import asyncio
from pathlib import Path

import pytest

from madang.ports.api import User
from madang.ports.errors import StatusError
from madang.wire.impersonation import impersonated
from tests.wire.doors import Client, doors


def test_groups_follow_the_name_unless_they_are_given() -> None:
    assert impersonated([(b"impersonate-user", b"bob")]) == User("bob", ("system:authenticated",))
    given = [(b"impersonate-user", b"bob"), (b"impersonate-group", b"dev"), (b"impersonate-group", b"ops")]
    assert impersonated(given).groups == ("dev", "ops", "system:authenticated")
    account = impersonated([(b"impersonate-user", b"system:serviceaccount:shop:bot")])
    assert account.groups == ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated")
    assert impersonated([(b"impersonate-user", b"system:anonymous")]).groups == ("system:unauthenticated",)


@pytest.mark.parametrize("name", [b"impersonate-group", b"impersonate-uid", b"impersonate-extra-scopes"])
def test_what_cannot_be_done_is_refused(name: bytes) -> None:
    with pytest.raises(StatusError):
        impersonated([(name, b"x")])


def test_an_outsider_must_enter_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with doors(tmp_path) as (_, door):
            path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            as_bob = {"Impersonate-User": "bob"}
            refused = await Client(door, inner=False)("POST", path, {}, headers=as_bob)
            assert refused.status == 401
            me = await Client(door, inner=False, token=door.token)("POST", path, {}, headers=as_bob)
            assert me.body["status"]["userInfo"]["username"] == "bob"

    asyncio.run(main())
