"""Kubernetes quantities: `100m`, `1.5Gi`, `1e3`. Parsed exactly, written canonically, compared as whole numbers.

In: the text of a quantity. Out: a `Quantity`, whole billionths of a unit (the API's finest grain) and the family of
suffixes that it was written in. Errors are the API's own sentences (apimachinery pkg/api/resource). Parsing is
cached, since a cluster repeats a handful of amounts.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

NANOS = 10**9
MAX_NANOS = (2**63 - 1) * NANOS  # larger amounts are capped, as the API does

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_WRONG = "unable to parse quantity's suffix"
NUMERIC_WRONG = "unable to parse numeric part of quantity"

DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
DECIMAL_NAMES = {v: k for k, v in DECIMAL_SUFFIXES.items()}
BINARY_NAMES = {v: k for k, v in BINARY_SUFFIXES.items()} | {0: ""}
SUFFIX_LETTERS = frozenset("eEinumkKMGTP")
DIGITS = frozenset("0123456789")


class QuantityError(ValueError):
    """Not a quantity; the text is the API's."""


class Quantity(NamedTuple):
    nanos: int
    format: Format = "DecimalSI"

    def __str__(self) -> str:
        return _render(self.nanos, self.format)

    @property
    def value(self) -> int:
        """Whole units, rounded up (bytes of a memory amount)."""
        return -(-self.nanos // NANOS)

    @property
    def millis(self) -> int:
        """Thousandths, rounded up (millicores of a cpu amount)."""
        return -(-self.nanos // 10**6)


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """Raises QuantityError."""
    if not text:
        raise QuantityError(FORMAT_WRONG)
    sign, whole, fraction, suffix = _split(text)
    base, exponent, form = _interpret(suffix)
    digits = int((whole + fraction) or "0")
    # amount = digits * 10^-len(fraction) * base^exponent; in billionths, rounded away from zero
    top, bottom = digits * NANOS, 10 ** len(fraction)
    if exponent >= 0:
        top *= base**exponent
    else:
        bottom *= base**-exponent
    nanos = min(-(-top // bottom), MAX_NANOS)
    return Quantity(sign * nanos, form)


def canonical(text: str) -> str:
    """The form in which the API gives a quantity back: `1000m` is `1`, `0.5` is `500m`."""
    return str(parse(text))


def millis(text: str) -> int:
    return parse(text).millis


def value(text: str) -> int:
    return parse(text).value


def compare(left: str, right: str) -> int:
    """-1, 0 or 1."""
    a, b = parse(left).nanos, parse(right).nanos
    return (a > b) - (a < b)


def from_millis(amount: int) -> str:
    return _render(amount * 10**6, "DecimalSI")


def from_bytes(amount: int) -> str:
    return _render(amount * NANOS, "BinarySI")


def _split(text: str) -> tuple[int, str, str, str]:
    """(sign, digits before the point, digits behind it, suffix); the order of the API's own scan."""
    at, end = (1, len(text)) if text[0] in "+-" else (0, len(text))
    sign = -1 if text[0] == "-" else 1
    start = at
    while at < end and text[at] in DIGITS:
        at += 1
    whole, fraction = text[start:at], ""
    if at < end and text[at] == ".":
        start = at + 1
        at = start
        while at < end and text[at] in DIGITS:
            at += 1
        fraction = text[start:at]
    start = at
    while at < end and text[at] in SUFFIX_LETTERS:
        at += 1
    if at < end and text[at] in "+-":
        at += 1
    while at < end and text[at] in DIGITS:
        at += 1
    if at < end:
        raise QuantityError(FORMAT_WRONG)
    if not whole and not fraction:
        raise QuantityError(NUMERIC_WRONG)
    return sign, whole, fraction, text[start:]


def _interpret(suffix: str) -> tuple[int, int, Format]:
    if suffix in DECIMAL_SUFFIXES:
        return 10, DECIMAL_SUFFIXES[suffix], "DecimalSI"
    if suffix in BINARY_SUFFIXES:
        return 2, BINARY_SUFFIXES[suffix], "BinarySI"
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        try:
            # No amount has more than a few dozen digits: a larger exponent only costs memory.
            return 10, max(min(int(suffix[1:]), 64), -64), "DecimalExponent"
        except ValueError:
            pass
    raise QuantityError(SUFFIX_WRONG)


def _render(nanos: int, form: Format) -> str:
    if form == "BinarySI" and nanos % NANOS == 0 and abs(nanos) >= 1024 * NANOS:
        number, exponent = nanos // NANOS, 0
        while exponent < 60 and number % 1024 == 0:
            number, exponent = number // 1024, exponent + 10
        return f"{number}{BINARY_NAMES[exponent]}"
    if nanos == 0:
        return "0"
    number, exponent = nanos, -9
    while number % 1000 == 0:
        number, exponent = number // 1000, exponent + 3
    if form == "DecimalExponent":
        return f"{number}e{exponent}" if exponent else str(number)
    if exponent > 18:
        number, exponent = number * 10 ** (exponent - 18), 18
    return f"{number}{DECIMAL_NAMES[exponent]}"
