import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds import quantity
from madang.kinds.quantity import FORMAT_WRONG, NUMERIC_WRONG, SUFFIX_WRONG, QuantityError


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("100m", "100m"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("1000Ki", "1000Ki"),
        ("1e3", "1e3"),
        ("12E2", "1200"),
        ("1000", "1k"),
        ("1500k", "1500k"),
        ("0.0000000001", "1n"),
        ("-1", "-1"),
        ("+2", "2"),
        (".5", "500m"),
        ("5.", "5"),
        ("1.5Ki", "1536"),
        ("0.1Mi", "104857600m"),
        ("9Ei", "9223372036854775807"),
    ],
)
def test_canonical_form(text: str, written: str) -> None:
    assert quantity.canonical(text) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", FORMAT_WRONG),
        ("many", FORMAT_WRONG),
        ("1x", FORMAT_WRONG),
        ("1.2.3", FORMAT_WRONG),
        ("1 Gi", FORMAT_WRONG),
        ("1MM", SUFFIX_WRONG),
        ("1e", SUFFIX_WRONG),
        ("Mi", NUMERIC_WRONG),
    ],
)
def test_faults_are_in_the_words_of_the_api(text: str, message: str) -> None:
    with pytest.raises(QuantityError) as fault:
        quantity.parse(text)
    assert str(fault.value) == message


def test_amounts_in_whole_numbers_round_up() -> None:
    assert quantity.millis("1.0001") == 1001
    assert quantity.value("1500m") == 2
    assert quantity.value("64Mi") == 64 * 1024**2
    assert quantity.from_millis(1500) == "1500m"
    assert quantity.from_bytes(64 * 1024**2) == "64Mi"
    assert quantity.compare("1Gi", "1024Mi") == 0
    assert quantity.compare("1G", "1Gi") == -1


@given(st.integers(-(10**15), 10**15), st.sampled_from(["", "m", "u", "n", "k", "M", "Ki", "Mi", "Gi", "e3", "e-3"]))
def test_writing_and_reading_again_changes_nothing(number: int, suffix: str) -> None:
    first = quantity.parse(f"{number}{suffix}")
    again = quantity.parse(str(first))
    assert again.nanos == first.nanos
    assert str(again) == str(first)
