"""Foreign words inside HAProxy's configuration and runtime commands.

In: text from objects. Out: text that HAProxy reads as exactly these characters, as one word. A control character
cannot be written at all and is refused: nothing from an object may ever start a new line.
"""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Unwritable(ValueError):
    """The text holds a character that no HAProxy configuration can carry."""


def word(text: str) -> str:
    """One literal word of a configuration line (strong quotes: nothing inside has a meaning)."""
    return "'" + _writable(text).replace("'", "'\\''") + "'"


def literal(text: str) -> str:
    """Text for a log-format argument, in which `%` has a meaning of its own."""
    return _writable(text).replace("%", "%%")


def command(text: str) -> str:
    """One word of a runtime command."""
    return re.sub(r"([\\; <>])", r"\\\1", _writable(text))


def _writable(text: str) -> str:
    if _CONTROL.search(text):
        raise Unwritable(f"{text!r} holds a control character")
    return text
