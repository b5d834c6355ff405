"""The fragments of the page as they are now, and since which moment each is as it is.

In: a `Snapshot` and a `Load`, whenever they may have changed. Out: all fragments, or those that are another since a
moment. A fragment is written down once a language, when somebody asks for it.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from madang.web.application import Load
from madang.web.facts import Snapshot
from madang.web.fragments import Renderer, inside, values
from madang.web.picture import Picture, picture
from madang.web.text import LANGUAGES, Language


@dataclass(slots=True)
class Fragment:
    """`since` is the moment of its last change."""

    value: Any
    since: int
    html: dict[Language, str] = field(default_factory=dict)


class Board:
    def __init__(self) -> None:
        self._renderers = {language: Renderer(language) for language in LANGUAGES}
        self._epoch = secrets.token_hex(4)  # moments of another control process mean nothing here
        self._fragments: dict[str, Fragment] = {}
        self.picture: Picture | None = None
        self.moment = 0

    def show(self, s: Snapshot, load: Load) -> bool:
        """Whether anything is another."""
        self.picture = picture(s)
        fresh, old = values(s, load, self.picture), self._fragments
        if fresh.keys() == old.keys() and all(fresh[name] == one.value for name, one in old.items()):
            return False
        self.moment += 1
        self._fragments = {
            name: old[name] if name in old and old[name].value == value else Fragment(value, self.moment)
            for name, value in fresh.items()
        }
        return True

    def everything(self, language: Language) -> dict[str, str]:
        """Without what stands within the listing, which holds it."""
        return {name: self._html(name, language) for name in self._fragments if not inside(name)}

    def since(self, moment: int, language: Language) -> list[tuple[str, str]]:
        """In the order in which they are to be put in place; what the listing holds comes with it."""
        fresh = [name for name, one in self._fragments.items() if one.since > moment]
        held = "listing" in fresh
        return [(name, self._html(name, language)) for name in fresh if not (held and inside(name))]

    def word(self) -> str:
        """The moment, as a page remembers it."""
        return f"{self._epoch}-{self.moment}"

    def moment_of(self, word: str) -> int:
        """-1, before everything, for a word of another time."""
        epoch, _, number = word.partition("-")
        return int(number) if epoch == self._epoch and number.isdigit() else -1

    def _html(self, name: str, language: Language) -> str:
        one = self._fragments[name]
        if name == "listing":  # what it holds may be newer than itself
            whole = {name: held.value for name, held in self._fragments.items()}
            return self._renderers[language].fragment(name, one.value, whole)
        if language not in one.html:
            one.html[language] = self._renderers[language].fragment(name, one.value, {})
        return one.html[language]
