"""YAML with marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.app.document import RESET, DocumentError, Mark, plain, read


def one(text: str) -> object:
    return read(text, "f.yaml")[0]


def test_scalars_follow_the_core_schema() -> None:
    text = "[on, no, 22:22, 0444, 0o10, 0x1f, 1.5, true, ~, '', 1_000, 2024-01-01]"
    assert one(text) == ["on", "no", "22:22", 0o444, 8, 31, 1.5, True, None, "", "1_000", "2024-01-01"]


def test_every_entry_has_its_place() -> None:
    found = read("a:\n  b: 1\n  c:\n    - x\n    - y\n", "f.yaml")[0]
    assert found.marks["a"] == Mark("f.yaml", 1)
    assert found["a"].marks["c"] == Mark("f.yaml", 3)
    assert found["a"]["c"].marks == [Mark("f.yaml", 4), Mark("f.yaml", 5)]


def test_merge_keys_yield_to_own_ones_wherever_they_stand() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {a: 3, <<: [*x, *y]}\n"
    assert one(text)["z"] == {"a": 3, "b": 1, "c": 2}  # type: ignore[index]


def test_tags_of_compose() -> None:
    found = read("a: !reset null\nb: !override {c: 1}\nd: !override [1]\n", "f.yaml")[0]
    assert found["a"] is RESET and found["b"].override and found["d"].override
    assert plain(found) == {"b": {"c": 1}, "d": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\tb: 1\n", "f.yaml:2: is not valid YAML: a tab; it is indented with spaces only"),
        ("a:\n  b: 1\n\tc: 1\n", "f.yaml:3: is not valid YAML: a tab; it is indented with spaces only"),
        ("a: [\n", "f.yaml:2: is not valid YAML: did not find expected node content (while parsing a flow node)"),
        ("a: 1\na: 2\n", "f.yaml:2: the key 'a' stands here already, in line 1"),
        ("a: &a [*a]\n", "f.yaml:1: an alias stands inside of what it names"),
        ("a: {<<: 1}\n", "f.yaml:1: `<<` merges a mapping or a list of mappings"),
        ("{[1]: 2}\n", "f.yaml:1: a key must be text, not a list or a mapping"),
    ],
)
def test_what_is_broken_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(text, "f.yaml")
    assert str(caught.value) == said


def test_an_alias_that_doubles_itself_ends() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    with pytest.raises(DocumentError, match="grows without end"):
        read(text, "f.yaml")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        read(text, "f.yaml")
    except DocumentError as error:
        said = str(error)
    else:
        said = "f.yaml"
    assert said.startswith("f.yaml")
