"""The tour's words: one table a language, the same keys in each. Which language is the user's."""

import os
from collections.abc import Mapping

from madang.cli.touring.words import en, ko

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "ko": ko.WORDS}


def language(given: str, environment: Mapping[str, str] = os.environ) -> str:
    """What was asked for, else what the locale says, else English."""
    if given:
        return given
    spoken = next((environment[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(key)), "")
    return "ko" if spoken.startswith("ko") else "en"
