"""Headers as registries send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images.registry.challenge import Challenge, challenge

TOKEN = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'
WANTED = Challenge("bearer", "https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull,push")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (TOKEN, WANTED),
        (f'Basic realm="x, Bearer y", {TOKEN}', WANTED),
        (TOKEN.replace(",s", " , s").replace("Bearer", "bearer"), WANTED),
        ('Basic realm="a \\"quoted\\" one"', Challenge("basic", 'a "quoted" one')),
        ("Bearer realm=https://x/t,service=s", Challenge("bearer", "https://x/t", "s")),
        ("Basic", Challenge("basic")),
        ("Bearer", None),
        ('Negotiate, Digest realm="x"', None),
        ("", None),
    ],
)
def test_challenges(header: str, found: Challenge | None) -> None:
    assert challenge(header) == found


@given(st.text())
def test_anything_is_survived(text: str) -> None:
    challenge(text)
    challenge(f"Bearer {text}")
