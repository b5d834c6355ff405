"""A text in the languages that Madang speaks to people. In: nothing. Out: `Text`, and which languages there are."""

from typing import Literal, NamedTuple

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = ("en", "ko")


class Text(NamedTuple):
    en: str
    ko: str

    def of(self, language: Language) -> str:
        return self.ko if language == "ko" else self.en


NOTHING = Text("", "")


def same(text: str) -> Text:
    """A name, or words that somebody else wrote: they are shown as they are."""
    return Text(text, text)
