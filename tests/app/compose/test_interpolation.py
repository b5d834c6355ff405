"""Every form of `$NAME`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.app.compose.interpolation import InterpolationError, interpolate, interpolated
from madang.app.document import read

VARIABLES = {"A": "a", "EMPTY": ""}


def value(text: str) -> tuple[str, list[str]]:
    missing: list[str] = []
    return interpolate(text, VARIABLES, missing.append), missing


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("$A-${A}", "a-a"), ("$$A $${A}", "$A ${A}"), ("${A:-x}", "a"), ("${EMPTY:-x}", "x"), ("${EMPTY-x}", ""),
        ("${NO-x}", "x"), ("${NO:-${A}b}", "ab"), ("${NO:-${NO2:-deep}}", "deep"), ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"), ("${NO+x}", ""), ("${A:?must}", "a"), ("${EMPTY?must}", ""), ("${NO:-}", ""), ("1$", None),
    ],
)  # fmt: skip
def test_forms(text: str, made: str | None) -> None:
    if made is None:
        with pytest.raises(InterpolationError):
            value(text)
    else:
        assert value(text) == (made, [])


def test_a_variable_that_is_not_set_is_named() -> None:
    assert value("<$NO>") == ("<>", ["NO"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${NO:?say ${A}}", "the variable NO must be set: say a"),
        ("${EMPTY:?}", "the variable EMPTY must be set"),
        ("${A", "`${` without its `}` in '${A'"),
        ("${}", "`${}` in '${}' names no variable"),
        ("${A!x}", "`${A!x}` in '${A!x}': after the name comes one of :- - :? ? :+ +"),
        ("$(date)", "a `$` before no name in '$(date)': write `$$` for a dollar sign"),
    ],
)
def test_refusals(text: str, said: str) -> None:
    with pytest.raises(InterpolationError) as caught:
        value(text)
    assert str(caught.value) == said


def test_a_tree_keeps_its_marks_and_its_keys() -> None:
    faults: list[str] = []
    warnings: list[str] = []
    tree = read("$A:\n  - ${A}\n  - $NO\n  - ${B", "f.yaml")[0]
    made = interpolated(tree, VARIABLES, faults, warnings)
    assert made["$A"][:2] == ["a", ""] and made["$A"].marks[1].line == 3
    assert warnings == ["f.yaml:3: $A[1]: the variable NO is not set; it counts as empty"]
    assert faults == ["f.yaml:4: $A[2]: `${` without its `}` in '${B'"]


@given(st.text(alphabet="$AB{}:-?+ x", max_size=30))
def test_any_text_has_a_value_or_a_reason(text: str) -> None:
    try:
        made, _ = value(text)
    except InterpolationError:
        return
    assert "$" in text or made == text


@given(st.text(max_size=30))
def test_doubled_dollars_give_the_text_back(text: str) -> None:
    assert value(text.replace("$", "$$"))[0] == text
