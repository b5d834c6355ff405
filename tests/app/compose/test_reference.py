"""docs/compose.md says what the tables say; every key of the specification's schema has a row."""

from pathlib import Path

from madang.app.compose import keys, reference
from madang.app.compose.validation import validator

ROOT = Path(__file__).parents[3]


def test_the_document_is_in_step() -> None:
    said = "docs/compose.md differs from its tables: run `./dev docs`"
    assert (ROOT / "docs" / "compose.md").read_text() == reference.markdown(), said


def test_every_service_key_has_a_row() -> None:
    known = {key.name.split(".")[0] for key in keys.TABLE}
    assert set(validator().schema["$defs"]["service"]["properties"]) - known == set()


def test_a_row_is_honoured_or_says_why_not() -> None:
    for key in keys.TABLE:
        assert bool(key.becomes) != bool(key.because), key.name
    names = [key.name for key in keys.TABLE]
    assert len(names) == len(set(names))
