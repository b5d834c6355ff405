"""Names of images: docker's normalisation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images.reference import parse

D = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "whole", "short"),
    [
        ("redis", "docker.io/library/redis:latest", "redis:latest"),
        ("redis:7", "docker.io/library/redis:7", "redis:7"),
        ("index.docker.io/library/redis:7", "docker.io/library/redis:7", "redis:7"),
        ("docker.io/redis:7", "docker.io/library/redis:7", "redis:7"),
        ("bitnami/redis", "docker.io/bitnami/redis:latest", "bitnami/redis:latest"),
        ("localhost/shop/cart:1", "localhost/shop/cart:1", "localhost/shop/cart:1"),
        ("localhost:5000/cart", "localhost:5000/cart:latest", "localhost:5000/cart:latest"),
        ("ghcr.io/a/b/c__d-e.f:v1.2_3", "ghcr.io/a/b/c__d-e.f:v1.2_3", "ghcr.io/a/b/c__d-e.f:v1.2_3"),
        ("[::1]:5000/cart:1", "[::1]:5000/cart:1", "[::1]:5000/cart:1"),
        (f"redis@{D}", f"docker.io/library/redis@{D}", f"redis@{D}"),
        (f"redis:7@{D}", f"docker.io/library/redis:7@{D}", f"redis:7@{D}"),
        (D, D, D),
        ("Upper.example/x", "Upper.example/x:latest", "Upper.example/x:latest"),
        ("CORP/x", "CORP/x:latest", "CORP/x:latest"),
    ],
)
def test_normalised(text: str, whole: str, short: str) -> None:
    assert (str(parse(text)), parse(text).familiar) == (whole, short)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lower-case letters"),
        ("Redis", 'lower case: "library/redis"'),
        ("a" * 64, "hexadecimal digits are no name"),
        ("redis:", 'found ""'),
        ("redis:-7", 'found "-7"'),
        ("redis@sha256:12", 'found "sha256:12"'),
        ("re dis", "lower-case letters"),
        ("../etc", "no registry"),
        ("a//b", "lower-case letters"),
        ("a/" * 130 + "b", "at most 255"),
        ("redis\n", "lower-case letters"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)


@given(st.text(max_size=40) | st.from_regex(r"[a-z.:/@_-]{1,20}", fullmatch=True))
def test_what_is_taken_stays_what_it_is(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert parse(str(found)) == found == parse(found.familiar)
