"""Both tables of words say the same things, and every step has all that its heading and its figures need."""

import re
import string

import pytest

from madang.cli.touring.steps import STEPS
from madang.cli.touring.words import LANGUAGES

EN, KO = LANGUAGES["en"], LANGUAGES["ko"]
HANGUL = re.compile("[가-힣]")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_same_keys_and_the_same_gaps() -> None:
    assert list(EN) == list(KO)
    for key, text in EN.items():
        assert fields(text) == fields(KO[key]), key


@pytest.mark.parametrize("key", [key for key in KO if not key.endswith((".product", ".here"))])
def test_korean_is_korean(key: str) -> None:
    assert HANGUL.search(KO[key]) and not HANGUL.search(EN[key])


def test_no_particle_hangs_on_what_is_filled_in() -> None:
    """Which form it has depends on the sound before it, which nobody knows here."""
    for key, text in KO.items():
        bare = text.replace("[/]", "")
        assert not re.search(r"\}(은|는|이|가|을|를|과|와|으로|로|라는|이라는)(?![가-힣])", bare), key


def test_korean_speaks_politely_throughout() -> None:
    for key, text in KO.items():
        for sentence in re.findall(r"[^.]*[가-힣]\.(?=\s|$)", text):
            assert sentence.rstrip(".").endswith(("니다", "십시오")), f"{key}: {sentence}"


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_each_step_has_its_words(step: str) -> None:
    wanted = {f"{step}.{word}" for word in ("title", "word", "product", "here", "what", "see")}
    assert wanted <= set(EN) and any(key.startswith(f"{step}.figure.") for key in EN)
