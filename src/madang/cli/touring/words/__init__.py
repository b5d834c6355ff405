"""The tour's words: one table a language, the same keys in each."""

from collections.abc import Mapping

from madang.cli.touring.words import en, ko
from madang.web.text import Language

LANGUAGES: Mapping[Language, Mapping[str, str]] = {"en": en.WORDS, "ko": ko.WORDS}
