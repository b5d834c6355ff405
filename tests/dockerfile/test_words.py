import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dockerfile.words import expand, fields, split

ENV = {"A": "one", "EMPTY": "", "P": "/usr/local/lib/x.tar.gz", "S": "a b", "STAR": "a*b*c"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$A", "one"),
        ("${A}b", "oneb"),
        ("$Ab", ""),
        ("\\$A", "$A"),
        ("'$A'", "$A"),
        ('"$A"', "one"),
        ('"\\$A \\" \\n"', '$A " \\n'),
        ("a\\", "a"),
        ("$", "$"),
        ("$+", "$+"),
        ("${NO:-d}${EMPTY:-e}${EMPTY-f}", "de"),
        ("${A:+yes}${EMPTY:+no}${EMPTY+set}", "yesset"),
        ("${NO:-${A:-x}}", "one"),
        ("${NO:-'$A'}", "$A"),
        ("${P#*/}", "usr/local/lib/x.tar.gz"),
        ("${P##*/}", "x.tar.gz"),
        ("${P%.*}", "/usr/local/lib/x.tar"),
        ("${P%%.*}", "/usr/local/lib/x"),
        ("${P#nothing}", "/usr/local/lib/x.tar.gz"),
        ("${STAR#a\\*}", "b*c"),
        ("${P/l/L}", "/usr/Local/lib/x.tar.gz"),
        ("${P//l/L}", "/usr/LocaL/Lib/x.tar.gz"),
        ("${P//\\//_}", "_usr_local_lib_x.tar.gz"),
        ("${NO#x}${NO/a/b}", ""),
        ("$1$@", ""),
    ],
)
def test_expansion(text: str, wanted: str) -> None:
    assert expand(text, ENV) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${A", "unsupported modifier"),
        ("${", "missing '}'"),
        ("${}", "bad substitution"),
        ("${A:-x", "missing '}'"),
        ("${A:x}", "unsupported modifier"),
        ("${NO:?}", "NO: is not allowed to be unset"),
        ("${EMPTY:?}", "EMPTY: is not allowed to be empty"),
        ("${NO?say so}", "NO: say so"),
        ("'a", "single-quote"),
        ('"a', "double-quote"),
        ("${A#\\a}", "invalid escape"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("$", "\\$")):
        expand(text, ENV)


def test_words_are_split_after_expansion_but_never_inside_quotes() -> None:
    assert split("x $S '$S' \"$S\" y\\ z", ENV) == ["x", "a", "b", "$S", "a b", "y z"]


def test_another_escape() -> None:
    assert expand("`$A \\$A", ENV, "`") == "$A \\one"


def test_quotes_are_text_in_heredocs() -> None:
    assert expand("say \"$A\" 'it' \\$A", ENV, quotes=False) == "say \"one\" 'it' $A"


def test_fields_keep_what_is_written() -> None:
    assert fields("a='b c' \"d e\"f g\\ h ''") == ["a='b c'", '"d e"f', "g\\ h", "''"]


@given(st.text(alphabet="ab$\\{}:-+'\" #%/?*", max_size=30))
def test_reading_ends_with_text_or_a_reason(text: str) -> None:
    try:
        found = split(text, ENV)
    except ValueError:
        return
    assert all(found)
    assert isinstance(expand(text, ENV), str)


@given(st.text(alphabet="xyz.-_/ ", max_size=30))
def test_plain_text_stays(text: str) -> None:
    assert expand(text, ENV) == text
    assert split(text, ENV) == text.split() == fields(text)
