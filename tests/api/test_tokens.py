"""Tokens of service accounts: signed, bound, over in time, void when what they stand for is gone."""

import asyncio
import stat
from pathlib import Path

from madang.api.tokens import Tokens
from tests.api.house import house, pod

NOW = 1_800_000_000.0


def test_a_token_stands_for_its_account_while_both_are_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with house() as api:
            tokens, store = Tokens.at(tmp_path / "key"), api.desk.store
            uid = (await api.get("serviceaccounts", "default", "default"))["metadata"]["uid"]
            made = (await api.create("pods", pod("p"))).obj
            bound = {"kind": "Pod", "name": "p", "uid": made["metadata"]["uid"]}
            token = tokens.sign(
                "default",
                "default",
                uid,
                now_s=NOW,
                seconds=600,
                audiences=["https://kubernetes.default.svc"],
                bound=bound,
            )
            user = tokens.user(token, store, NOW + 1)
            assert user is not None and user.name == "system:serviceaccount:default:default"
            assert "system:serviceaccounts:default" in user.groups
            assert tokens.user(token, store, NOW + 601) is None
            assert tokens.user(token, store, NOW - 86_400) is not None, (
                "the clock was set back: pods are not locked out"
            )
            assert tokens.user(token[:-6] + "AAAAAA", store, NOW) is None
            assert Tokens.at(tmp_path / "other").user(token, store, NOW) is None
            assert Tokens.at(tmp_path / "key").user(token, store, NOW) is not None  # the same key after a restart
            elsewhere = tokens.sign("default", "default", uid, now_s=NOW, seconds=600, audiences=["vault"], bound=None)
            assert tokens.user(elsewhere, store, NOW) is None
            await api.delete("pods", "default", "p")
            assert tokens.user(token, store, NOW) is None

    asyncio.run(main())


def test_the_key_is_the_owners_alone(tmp_path: Path) -> None:
    Tokens.at(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
