"""The documents for learners: both languages say the same, and what they name is there."""

import re
import shlex

import pytest
import typer.main

from madang.cli.main import app
from madang.web.elements import BANDS
from madang.web.text import Language
from tests.learner_docs import PAIRS, ROOT, blocks, commands, links, shape, spans

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
HANGUL = re.compile("[가-힣]")
NAMES = [str(english.relative_to(ROOT)) for english, _ in PAIRS]


@pytest.fixture(params=PAIRS, ids=NAMES)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    english, korean = request.param
    return english.read_text(), korean.read_text()


def test_same_headings_and_tables(pair: tuple[str, str]) -> None:
    english, korean = pair
    assert shape(english) == shape(korean)


def test_same_commands_outputs_and_code(pair: tuple[str, str]) -> None:
    english, korean = pair
    assert sorted(spans(english)) == sorted(spans(korean))
    for kind in ("console", "python"):
        assert blocks(english, kind) == blocks(korean, kind)


def test_links_lead_somewhere_and_to_the_same_language() -> None:
    for files in PAIRS:
        for path, own in zip(files, (False, True), strict=True):
            for link in links(path.read_text()):
                if "://" in link or link.startswith("#"):
                    continue
                target = (path.parent / link.partition("#")[0]).resolve()
                assert target.exists(), f"{path.name}: {link}"
                twin = target.with_suffix(f".ko{target.suffix}")
                other = target.name in ("README.md", "README.ko.md")  # each points at the other
                assert not own or other or not twin.exists(), f"{path.name}: {link} has a Korean page of its own"


def test_korean_is_korean_and_polite() -> None:
    for _, path in PAIRS:
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        assert len(HANGUL.findall(text)) > 500
        for sentence in re.findall(r"[^.|\n]*[가-힣]\.(?=\s|$)", text):
            assert sentence.rstrip(".").endswith(("니다", "십시오")), f"{path.name}: {sentence}."


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_outer_architecture_names_every_element(language: Language) -> None:
    name = "outer-architecture.md" if language == "en" else "outer-architecture.ko.md"
    text = " ".join((ROOT / "docs" / name).read_text().split()).lower()
    for band in BANDS:
        assert band.name.of(language).lower() in text
        for element in band.elements:
            for word in re.split(r", ", element.name.of(language)):
                assert word.lower() in text, f"{name} does not name {element.name.of(language)!r}"


def test_code_is_quoted_as_it_stands() -> None:
    sources = "\n".join(p.read_text() for p in (ROOT / "examples" / "shop").rglob("*.py"))
    for english, _ in PAIRS:
        for code in blocks(english.read_text(), "python"):
            assert code in sources, f"{english.name} quotes what is not in the shop:\n{code}"


def test_every_command_is_one() -> None:
    said = {text for english, _ in PAIRS for text in (*commands(english.read_text()), *spans(english.read_text()))}
    for text in sorted(said):
        if text.startswith("madang "):
            assert is_one(text), f"no such command or option: {text}"


def is_one(text: str) -> bool:
    """Names a command; its options (up to what is handed to another program) are ones that it has."""
    words = shlex.split(text.replace("[", "").replace("]", ""))[1:]
    if not words:
        return True
    names = [words[0], *(w.strip(",") for w in words[1:] if words[0].endswith(","))]
    verb = COMMANDS.get(names[0].strip(","))
    if verb is None:
        return False
    if verb.name in ("kubectl", "exec", "run"):
        return True
    if len(words) > 1 and words[1] in getattr(verb, "commands", {}):
        verb = verb.commands[words[1]]
    options = {opt for param in verb.params for opt in (*param.opts, *param.secondary_opts)}
    return all(w.partition("=")[0] in options for w in words[1:] if w.startswith("-"))


def test_a_wrong_command_is_found() -> None:
    assert is_one("madang up --detach") and not is_one("madang upp")
    assert not is_one("madang up --detatch")
    assert is_one("madang image ls --envs") and not is_one("madang image ls --env")
