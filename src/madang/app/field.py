"""One value of a file with its path and place: what reads it, says what is wrong with it in the same words.

In: a value of `document`. Out: texts, numbers, lengths of time, sizes; every fault goes into one list as
`compose.yaml:12: services.cart.deploy.replicas: expected a whole number, found "two"`, and reading goes on.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from madang.app.document import NOWHERE, RESET, Map, Mark, Seq

DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|µs|ms|s|m|h|d|w)")
SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def found(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"


@dataclass(frozen=True, slots=True)
class Field:
    value: Any
    path: str
    mark: Mark
    faults: list[str]

    def fault(self, text: str) -> None:
        message = f"{self.mark}: {self.path}: {text}" if self.path else f"{self.mark}: {text}"
        if message not in self.faults:
            self.faults.append(message)

    def expected(self, what: str) -> None:
        self.fault(f"expected {what}, found {found(self.value)}")

    def __bool__(self) -> bool:
        return self.value is not None and self.value is not RESET

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str) -> "Field":
        """The entry; a Field that is false where there is none."""
        here = self.value if isinstance(self.value, dict) else {}
        mark = here.marks.get(key, self.mark) if isinstance(here, Map) else self.mark
        return Field(here.get(key), f"{self.path}.{key}" if self.path else key, mark, self.faults)

    def items(self) -> Iterator[tuple[str, "Field"]]:
        if isinstance(self.value, dict):
            for key in self.value:
                yield key, self[key]
        elif self:
            self.expected("a mapping")

    def each(self) -> Iterator["Field"]:
        """The entries of a list; a single value counts as a list of one."""
        if isinstance(self.value, list):
            marks = self.value.marks if isinstance(self.value, Seq) else [self.mark] * len(self.value)
            for number, (one, mark) in enumerate(zip(self.value, marks, strict=True)):
                if one is not RESET:
                    yield Field(one, f"{self.path}[{number}]", mark, self.faults)
        elif isinstance(self.value, dict):
            self.expected("a list")
        elif self:
            yield self

    def text(self, default: str = "") -> str:
        if not self:
            return default
        if isinstance(self.value, dict | list):
            self.expected("text")
            return default
        return as_text(self.value)

    def texts(self) -> list[str]:
        return [one.text() for one in self.each()]

    def truth(self, default: bool = False) -> bool:
        if not self or isinstance(self.value, bool):
            return bool(self.value) if self else default
        if str(self.value).lower() in ("true", "false"):
            return str(self.value).lower() == "true"
        self.expected("true or false")
        return default

    def whole(self, default: int = 0, least: int = 0, most: int | None = None) -> int:
        if not self:
            return default
        try:
            number = int(self.value) if isinstance(self.value, str) else self.value
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int):
            self.expected("a whole number")
            return default
        if number < least or (most is not None and number > most):
            self.expected(f"a whole number from {least}" + (f" to {most}" if most is not None else ""))
            return default
        return number

    def number(self, default: float = 0.0) -> float:
        if not self:
            return default
        try:
            if not isinstance(self.value, bool) and (out := float(self.value)) >= 0:
                return out
        except (TypeError, ValueError):
            pass
        self.expected("a number")
        return default

    def seconds(self, default: float = 0.0) -> float:
        """A length of time as Compose writes it: `1m30s`, `500ms`; a bare number is refused, as there."""
        if not self:
            return default
        text = str(self.value).strip()
        parts = DURATION.findall(text)
        if text == "0" or (parts and "".join(n + u for n, u in parts) == text):
            return sum(float(n) * SECONDS[u] for n, u in parts)
        self.expected("a length of time such as 10s or 1m30s")
        return default

    def size_bytes(self, default: int = 0) -> int:
        """`256M`, `1gb`, or a number of bytes; powers of 1024 throughout."""
        if not self:
            return default
        matched = SIZE.fullmatch(str(self.value).strip())
        if matched and not isinstance(self.value, bool | float):
            return int(float(matched[1]) * 1024 ** POWERS[matched[2].lower()])
        self.expected("a size such as 256M or 1G")
        return default


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value)


def root(value: Any, mark: Mark = NOWHERE, faults: list[str] | None = None) -> Field:
    return Field(value, "", getattr(value, "mark", mark), faults if faults is not None else [])
