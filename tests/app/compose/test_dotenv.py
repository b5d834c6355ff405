"""Files of NAME=value lines."""

import pytest

from madang.app.compose.dotenv import DotenvError, parse, raw


def test_forms() -> None:
    text = """
# a comment
A=1
export B = two words # not this
C="x ${A}\\n\\"y\\" $$"
D='raw ${A} # this too'
E=x#y
F=
G: yaml-like
H
I="over
two lines"
J=${K:-k}
L="a \\$A"
"""
    assert parse(text, {"H": "given"}) == {
        "A": "1", "B": "two words", "C": 'x 1\n"y" $', "D": "raw ${A} # this too", "E": "x#y", "F": "",
        "G": "yaml-like", "H": "given", "I": "over\ntwo lines", "J": "k", "L": "a $A",
    }  # fmt: skip


def test_raw_takes_everything_as_it_stands() -> None:
    assert raw('# no\nA="x" $B # y\n') == {"A": '"x" $B # y'}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("A=1\n=2\n", 2, "expected NAME=value, found '=2'"),
        ("A='x\n", 1, "the quote ' of A is never closed"),
        ("A=${B?no}\n", 1, "the variable B must be set: no"),
    ],
)
def test_refusals(text: str, line: int, said: str) -> None:
    with pytest.raises(DotenvError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.message) == (line, said)
