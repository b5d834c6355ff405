"""A planted bug: one wrong replacement of a function of the house, and the words that say what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

Make = Callable[[Any], Any]  # from the right function to the wrong one


@dataclass(frozen=True, slots=True)
class Bug:
    """`owner` is a module or class, `attribute` a function or a number of it. Used as `with bug.planted(): ...`."""

    name: str
    text: str
    owner: Any
    attribute: str
    make: Make

    def planted(self) -> Any:
        return patch.object(self.owner, self.attribute, self.make(getattr(self.owner, self.attribute)))


def nothing(right: Any) -> Any:
    """Does nothing instead."""
    return lambda *args, **kwargs: None


def nothing_awaited(right: Any) -> Any:
    async def wrong(*args: Any, **kwargs: Any) -> None: ...

    return wrong


def answers(value: Any) -> Make:
    return lambda right: lambda *args, **kwargs: value
