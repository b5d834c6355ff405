"""Whose name and password a registry gets."""

import base64
from pathlib import Path
from typing import Any

import pytest

from madang.node.images.reference import parse
from madang.node.images.registry.credentials import (
    HUB_KEY,
    BadCredentials,
    Login,
    ask_helper,
    config_path,
    login,
    read_config,
)

AUTH = {"auth": base64.b64encode(b"me:a:b").decode()}
ME = Login("me", "a:b")


@pytest.mark.parametrize(
    ("key", "image", "found"),
    [
        (HUB_KEY, "redis", True),
        ("docker.io", "redis", True),
        ("example.org", "example.org/a", True),
        ("https://example.org", "example.org/a", True),
        ("https://example.org/v2/", "example.org/a", True),
        ("example.org/a", "example.org/a/b", True),
        ("example.org/a", "example.org/ab", False),
        ("example.org", "example.org:5000/a", False),
        ("example.org", "redis", False),
    ],
)
def test_keys(key: str, image: str, found: bool) -> None:
    assert login({"auths": {key: AUTH}}, parse(image)) == (ME if found else None)


def test_the_longest_key_and_forms() -> None:
    token = {"identitytoken": "t"}
    assert login({"auths": {"example.org": AUTH, "example.org/a": token}}, parse("example.org/a/b")) == Login(
        "", "", "t"
    )
    plain = {"username": "u", "password": "p"}
    assert login({"auths": {"example.org": {}, "https://example.org": plain}}, parse("example.org/a")) == Login(
        "u", "p"
    )
    for odd in ({}, {"auths": None}, {"auths": {"example.org": "x"}}, {"credHelpers": []}):
        assert login(odd, parse("example.org/a")) is None
    with pytest.raises(BadCredentials, match=r'auths\["example.org"\].auth: expected base64'):
        login({"auths": {"example.org": {"auth": "??"}}}, parse("example.org/a"))
    assert "a:b" not in repr(ME)


def test_helpers_come_first() -> None:
    asked = []

    def helper(name: str, registry: str) -> bytes | None:
        asked.append((name, registry))
        return {"one": b'{"Username": "u", "Secret": "s"}', "two": b'{"Username": "<token>", "Secret": "t"}'}.get(name)

    config: dict[str, Any] = {"credHelpers": {"example.org": "one"}, "credsStore": "two", "auths": {"b.org": AUTH}}
    assert login(config, parse("example.org/a"), helper) == Login("u", "s")
    assert login(config, parse("redis"), helper) == Login("", "", "t")
    assert login({**config, "credsStore": "none"}, parse("b.org/a"), helper) == ME
    assert asked == [("one", "example.org"), ("two", HUB_KEY), ("none", "b.org")]
    with pytest.raises(BadCredentials, match="no name of a helper"):
        login({"credsStore": "../x"}, parse("redis"), helper)


def test_helper_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    programs = {
        "good": 'read host; echo "{\\"Username\\": \\"$1\\", \\"Secret\\": \\"$host\\"}"',
        "empty": "echo credentials not found in native keychain; exit 1",
        "bad": "echo locked >&2; exit 1",
        "odd": "echo hello",
    }
    for name, script in programs.items():
        (tmp_path / f"docker-credential-{name}").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / f"docker-credential-{name}").chmod(0o755)
    assert login({"credsStore": "good"}, parse("b.org/a")) == Login("get", "b.org")
    assert ask_helper("empty", "b.org") is None
    for name, says in (("bad", "bad: locked"), ("missing", "No such file"), ("odd", "expected Username and Secret")):
        with pytest.raises(BadCredentials, match=says):
            login({"credsStore": name}, parse("b.org/a"))


def test_the_file(tmp_path: Path) -> None:
    assert config_path({"HOME": "/h"}) == Path("/h/.docker/config.json")
    path = config_path({"DOCKER_CONFIG": str(tmp_path), "HOME": "/h"})
    assert read_config(path) == {}
    for body in ("{", "[]"):
        path.write_text(body)
        with pytest.raises(BadCredentials, match=str(path)):
            read_config(path)
    path.write_text('{"auths": {}}')
    assert read_config(path) == {"auths": {}}
