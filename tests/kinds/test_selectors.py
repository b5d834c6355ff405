import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds import selectors
from madang.kinds.selectors import EVERYTHING, NOTHING, SelectorError


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("a in (b, c),x notin (y)", {"a": "c"}, True),
        ("a in ()", {"a": ""}, True),
        ("a in (b,)", {"a": ""}, True),
        ("a>4", {"a": "5"}, True),
        ("a<4", {"a": "x"}, False),
        ("in=notin", {"in": "notin"}, True),
        ("a=", {"a": ""}, True),
    ],
)
def test_text_matches(text: str, labels: dict[str, str], matches: bool) -> None:
    assert selectors.parse(text).matches(labels) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, "
                "the value must be an integer"),
    ],
)  # fmt: skip
def test_faults_are_in_the_words_of_the_api(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as fault:
        selectors.parse(text)
    assert str(fault.value) == message


def test_a_bad_key_is_named() -> None:
    with pytest.raises(SelectorError) as fault:
        selectors.parse("a_/b=c")
    assert str(fault.value).startswith(
        'unable to parse requirement: <nil>: Invalid value: "a_/b": prefix part a lowercase RFC 1123 subdomain'
    )


def test_equalities_are_what_an_index_can_answer() -> None:
    assert selectors.parse("a=b,c in (d),e in (f,g),!h,i!=j").equalities == (("a", "b"), ("c", "d"))


def test_objects() -> None:
    both = {"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}
    assert str(selectors.from_object(both)) == "a in (x,y),b=1"
    assert selectors.from_object(None) is NOTHING
    assert selectors.from_object({}) == EVERYTHING
    assert not NOTHING.matches({})


def test_field_selectors() -> None:
    known = frozenset({"spec.nodeName"})
    found = selectors.parse_fields("spec.nodeName=n1,metadata.name!=x", "pods", known)
    assert found.equalities == (("spec.nodeName", "n1"),)
    assert found.matches({"spec.nodeName": "n1", "metadata.name": "y"}.get)
    assert not found.matches({"spec.nodeName": "n1", "metadata.name": "x"}.get)
    with pytest.raises(SelectorError) as fault:
        selectors.parse_fields("data.k=v", "configmaps")
    assert str(fault.value) == ('"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"')
    with pytest.raises(SelectorError) as fault:
        selectors.parse_fields("spec.x=v", "pods", known)
    assert str(fault.value) == "field label not supported: spec.x"
    with pytest.raises(SelectorError) as fault:
        selectors.parse_fields("what", "pods", known)
    assert str(fault.value) == "invalid selector: 'what'; can't understand 'what'"


names = st.text("abc", min_size=1, max_size=3)


@given(st.dictionaries(names, names, min_size=1), st.dictionaries(names, names))
def test_labels_as_text_and_as_object_match_alike(wanted: dict[str, str], labels: dict[str, str]) -> None:
    as_object = selectors.from_object({"matchLabels": wanted})
    as_text = selectors.parse(str(as_object))
    assert as_text == as_object
    assert as_text.matches(labels) is (wanted.items() <= labels.items())
