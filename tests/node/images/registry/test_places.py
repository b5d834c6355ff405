"""Addresses of registries and mirrors."""

import pytest

from madang.node.images.registry.places import loopback, places


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("docker.io", "https://registry-1.docker.io"),
        ("ghcr.io", "https://ghcr.io"),
        ("localhost:5000", "http://localhost:5000"),
        ("localhost", "http://localhost"),
        ("127.0.0.2:5000", "http://127.0.0.2:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("[::1]", "http://[::1]"),
        ("127.0.0.1.example.org:5000", "https://127.0.0.1.example.org:5000"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_own(domain: str, found: str) -> None:
    assert places(domain) == [found]


def test_mirrors() -> None:
    said = "docker.io=http://localhost:1/, docker.io=https://m.org/hub ,ghcr.io=https://g.org"
    assert places("docker.io", said) == ["http://localhost:1", "https://m.org/hub", "https://registry-1.docker.io"]
    for wrong in ("docker.io", "docker.io=m.org", "docker.io=ftp://m.org", "docker.io=https://me:pw@m.org"):
        with pytest.raises(ValueError, match="MADANG_MIRRORS: expected DOMAIN="):
            places("docker.io", wrong)


def test_loopback() -> None:
    assert loopback("a.localhost") and loopback("[::1]") and not loopback("localhost.example.org")
