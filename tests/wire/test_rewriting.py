"""Addresses of a page that is read through the proxy."""

import pytest

from madang.wire.rewriting import address, page

AT = "/api/v1/namespaces/shop/pods/cart:80/proxy"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/next", f"{AT}/next"),
        ("/", f"{AT}/"),
        ("/next/?a=/b#c", f"{AT}/next/?a=/b#c"),
        ("next", "next"),
        ("?a=b", "?a=b"),
        ("", ""),
        (f"{AT}/next", f"{AT}/next"),
        ("//elsewhere/next", "//elsewhere/next"),
        ("http://elsewhere/next", "http://elsewhere/next"),
        ("http://10.0.0.7:80/next", f"{AT}/next"),
        ("http://[broken/next", "http://[broken/next"),
    ],
)
def test_addresses(before: str, after: str) -> None:
    assert address(before, AT, "10.0.0.7:80") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<a href="/rewriteme">test</a>', f'<a href="{AT}/rewriteme">test</a>'),
        ("<A class=/x HREF='/y'>", f"<A class=/x HREF='{AT}/y'>"),
        ("<img src=/i.png data-src=/j.png>", f"<img src={AT}/i.png data-src=/j.png>"),
        ('<p title="/x">/y <b href="/z">', '<p title="/x">/y <b href="/z">'),
        (
            '<form method="post" action="/send"><input src="n">',
            f'<form method="post" action="{AT}/send"><input src="n">',
        ),
    ],
)
def test_pages(before: str, after: str) -> None:
    assert page(before, AT) == after
