"""What ADD fetches, as its address says."""

import pytest

from madang.dockerfile.parsing import parse
from madang.dockerfile.refusal import Refused
from madang.node.images.build.plan import Request, plan
from madang.node.images.build.remotes import Remote, remote
from madang.node.images.build.steps import Files, Plan

SHA = f"sha256:{'a' * 64}"


class Contents:
    """`fetched` says what a thing elsewhere holds."""

    def __init__(self, **found: str) -> None:
        self.found = found

    def digest(self, patterns: tuple[str, ...], parents: bool = False) -> str:
        return repr(patterns)

    def fetched(self, one: Remote) -> str:
        return one.checksum or self.found.get(one.name, "first")


def step(text: str, **found: str) -> Files:
    made = plan(parse(f"FROM scratch\n{text}\n"), Request(), {}, Contents(**found))
    assert isinstance(made, Plan)
    one = made.target.steps[-1]
    assert isinstance(one, Files)
    return one


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("folder/https", None),
        ("https://x.org/a%20b.txt?c=d#e", Remote("file", "https://x.org/a%20b.txt?c=d", 1)),
        ("https://x.org/shop.git", Remote("git", "https://x.org/shop.git", 1)),
        ("https://x.org/shop.git#v1:sub/../deep", Remote("git", "https://x.org/shop.git", 1, "", "v1", "deep")),
        ("git://x.org/shop#:/../up", Remote("git", "git://x.org/shop", 1, "", "", "up")),
    ],
)
def test_addresses(text: str, found: Remote | None) -> None:
    assert remote(text, 1) == found


def test_names_and_keys() -> None:
    one = step("ADD https://x.org/a%20b.txt?v=1 /opt/")
    assert (one.remotes[0].name, one.patterns, one.target) == ("a b.txt", (), "/opt/")
    assert one.title == "ADD https://x.org/a%20b.txt?v=1 /opt/"
    same = step("ADD https://mirror.org/a%20b.txt /opt/")
    assert same.key == one.key, "where it lies decides nothing"
    assert step("ADD https://x.org/b.txt /opt/").key != step("ADD https://x.org/b.txt /opt/", **{"b.txt": "other"}).key
    assert step(f"ADD --checksum={SHA} https://x.org/b.txt /opt/").remotes[0].checksum == SHA
    several = step("ARG FROM=https://x.org\nADD $FROM/b.txt $FROM/shop.git#main:src /opt/")
    assert [r.kind for r in several.remotes] == ["file", "git"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ADD git@x.org:shop.git /", "nothing is fetched over ssh"),
        ("ADD ssh://git@x.org/shop /", "nothing is fetched over ssh"),
        ("ADD file:///etc/shop.git /", "only http, https and git are fetched"),
        ("ADD https:///x /", "expected a host"),
        ("ADD https://x.org/ /opt/", "names no file"),
        ("ADD https://x.org/%2e%2e /opt/", "names no file"),
        ("ADD https://x.org/a b /opt/", "want an ADD each"),
        ("ADD --checksum=sha256:1 https://x.org/a /opt/", "expected \"sha256:\" and 64"),
        ("ADD --checksum=main https://x.org/a.git /opt/", "expected a commit"),
        (f"ADD --checksum={SHA} a /opt/", "is for one file that is fetched"),
        ("ADD https://x.org/a.git#--upload-pack=x /opt/", "is no branch, tag or commit"),
        ("ADD --keep-git-dir https://x.org/a.git /opt/", "keep-git-dir"),
    ],
)  # fmt: skip
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        step(text)
    assert "line 2" in str(refused.value)
