import pytest

from madang.dockerfile.instructions import Command, Copy, From, Health, Listing, Meaning, Pairs, Text, meaning
from madang.dockerfile.parsing import parse
from madang.dockerfile.refusal import Refused


def read(text: str) -> Meaning:
    file = parse(text)
    return meaning(file.instructions[0], file.escape)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("from a:1 AS Build", From(1, "a:1", "build")),
        ("ENV a=1 b='2 3'", Pairs(1, "ENV", (("a", "1"), ("b", "'2 3'")))),
        ("ENV a 1  2", Pairs(1, "ENV", (("a", "1  2"),))),
        ("ARG a b=", Pairs(1, "ARG", (("a", None), ("b", "")))),
        ("CMD", Command(1, "CMD", (), True)),
        ('CMD ["a", "b c"]', Command(1, "CMD", ("a", "b c"), False)),
        ("CMD ['a']", Command(1, "CMD", ("['a']",), True)),
        ('COPY --chown=a:b ["x y", "z"]', Copy(1, "COPY", ("x y",), "z", chown="a:b")),
        ("USER a b", Text(1, "USER", "a b")),
        ("VOLUME /a /b", Listing(1, "VOLUME", ("/a", "/b"))),
        ("HEALTHCHECK NONE", Health(1, ("NONE",))),
        (
            "HEALTHCHECK --interval=1m30s --retries=2 CMD curl  x",
            Health(1, ("CMD-SHELL", "curl  x"), (("Interval", 90_000_000_000),), 2),
        ),
        ("ONBUILD RUN <<EOF\na\nEOF", Text(1, "ONBUILD", "RUN <<EOF\na\nEOF")),
    ],
)
def test_meanings(text: str, wanted: Meaning) -> None:
    assert read(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FORM x", r"line 1: unknown instruction: FORM \(did you mean FROM\?\)"),
        ("FROM a b", "either one or three"),
        ("FROM a AS 1x", "invalid name for build stage"),
        ("RUN", "requires at least one argument"),
        ("RUN --mont=x y", r"unknown flag: --mont for RUN \(did you mean --mount\?\)"),
        ("RUN --security=insecure y", "--security is not supported here"),
        ("COPY --from=a --from=b x y", "duplicate flag"),
        ("COPY --from x y", "missing a value on flag: --from"),
        ("COPY --link=maybe x y", "expecting boolean"),
        ("COPY x", "at least two arguments"),
        ("COPY x <<EOF\nEOF", "heredoc as its destination"),
        ('CMD ["a", 1]', "strings only"),
        ("SHELL /bin/sh", "JSON form"),
        ("ENV a", "must have two arguments"),
        ("ENV a=1 b", "can't find ="),
        ("ENV =1", "names can not be blank"),
        ("HEALTHCHECK curl", "Unknown type"),
        ("HEALTHCHECK --interval=5 CMD x", 'expected a duration like "30s"'),
        ("HEALTHCHECK --timeout=1us CMD x", "cannot be less than 1ms"),
        ("HEALTHCHECK --retries=-1 CMD x", "not negative"),
        ("ONBUILD FROM x", "isn't allowed as an ONBUILD trigger"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read(text)
