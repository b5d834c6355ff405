"""Label and field selectors: from the API's text or a LabelSelector object to something that matches.

In: `app=web,tier in (a, b),!old` or `{"matchLabels": ..., "matchExpressions": ...}`. Out: a `Selector`, whose
`equalities` an index can answer first. Faults are `SelectorError` with the API's exact words; `api` makes a 400 of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from madang.kinds.names import label_value, qualified_name
from madang.ports.objects import Obj

Operator = Literal["in", "notin", "=", "!=", "exists", "!", "gt", "lt"]


class SelectorError(ValueError):
    """The selector cannot be read; the text is the API's."""


class Requirement(NamedTuple):
    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        found = labels.get(self.key)
        match self.operator:
            case "=" | "in":
                return found is not None and found in self.values
            case "!=" | "notin":
                return found is None or found not in self.values
            case "exists":
                return found is not None
            case "!":
                return found is None
        number = _integer(found)
        if number is None:
            return False
        bound = int(self.values[0])
        return number > bound if self.operator == "gt" else number < bound

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{self.values[0]}"
        return f"{self.key}{self.operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; with none, everything matches, unless it is the selector of nothing."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @property
    def everything(self) -> bool:
        return not self.requirements and not self.nothing

    @property
    def equalities(self) -> tuple[tuple[str, str], ...]:
        """What an index of `key=value` can answer: `=`, `==` and `in` with a single value."""
        return tuple(
            (r.key, r.values[0]) for r in self.requirements if r.operator in ("=", "in") and len(r.values) == 1
        )

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        found = labels or {}
        return all(r.holds(found) for r in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(r) for r in self.requirements)


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)
_EXPRESSIONS: dict[str, Operator] = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def from_object(selector: Obj | None) -> Selector:
    """Of a LabelSelector: absent matches nothing, empty matches everything (meta/v1 LabelSelectorAsSelector)."""
    if selector is None:
        return NOTHING
    labels = tuple((selector.get("matchLabels") or {}).items())
    if not selector.get("matchExpressions"):
        return _of_labels(labels)
    found = [Requirement(k, "=", (v,)) for k, v in labels]
    for expression in selector.get("matchExpressions") or ():
        operator = _EXPRESSIONS.get(expression.get("operator", ""))
        if operator is None:
            raise SelectorError(f'"{expression.get("operator", "")}" is not a valid label selector operator')
        values = tuple(sorted(set(expression.get("values") or ())))
        found.append(Requirement(expression.get("key", ""), operator, values))
    return Selector(tuple(sorted(found, key=lambda r: r.key)))


@lru_cache(maxsize=1024)
def _of_labels(labels: tuple[tuple[str, str], ...]) -> Selector:
    return Selector(tuple(Requirement(k, "=", (v,)) for k, v in sorted(labels)))


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """Of the API's text. Raises SelectorError."""
    reader = _Reader(text)
    found = sorted(reader.requirements(), key=lambda r: r.key)
    return Selector(tuple(found)) if found else EVERYTHING


_SYMBOLS = frozenset("=!(),><")
_TOKENS = {")", ",", "!", "==", "=", ">", "in", "<", "!=", "notin", "("}
_OPERATORS: dict[str, Operator] = {
    "in": "in", "notin": "notin", "=": "=", "==": "=", "!=": "!=", ">": "gt", "<": "lt",
}  # fmt: skip


def _scan(text: str) -> Iterator[tuple[str, str]]:
    """(token, literal): the token is the symbol itself, `word`, `end`, or `error`."""
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
        elif text[at] in _SYMBOLS:
            end = at + 1
            while end < len(text) and text[end] in _SYMBOLS and text[at : end + 1] in _TOKENS:
                end += 1
            yield text[at:end], text[at:end]
            at = end
        else:
            end = at
            while end < len(text) and text[end] not in _SYMBOLS and text[end] not in " \t\r\n":
                end += 1
            word = text[at:end]
            yield (word if word in _TOKENS else "word"), word
            at = end
    yield "end", ""


class _Reader:
    """A reader of one text, one token of lookahead (the grammar of apimachinery labels.Parser)."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_scan(text))
        self._at = 0

    def _peek(self, *, operators: bool = False) -> tuple[str, str]:
        token, literal = self._tokens[min(self._at, len(self._tokens) - 1)]
        # Where a value is awaited, `in` and `notin` are ordinary words.
        return ("word", literal) if token in ("in", "notin") and not operators else (token, literal)

    def _take(self, *, operators: bool = False) -> tuple[str, str]:
        got = self._peek(operators=operators)
        self._at += 1
        return got

    def requirements(self) -> Iterator[Requirement]:
        while True:
            token, literal = self._peek()
            if token == "end":
                return
            if token not in ("word", "!"):
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                yield self._requirement()
            except SelectorError as fault:
                raise SelectorError(f"unable to parse requirement: {fault}") from None
            token, literal = self._take()
            if token == "end":
                return
            if token != ",":
                raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
            token, literal = self._peek()
            if token not in ("word", "!"):
                raise SelectorError(f"found '{literal}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        token, key = self._take()
        absent = token == "!"
        if absent:
            token, key = self._take()
        if token != "word":
            raise SelectorError(f"found '{key}', expected: identifier")
        if faults := qualified_name(key):
            raise SelectorError(f"<nil>: Invalid value: {_quote(key)}: {'; '.join(faults)}")
        if absent:
            return Requirement(key, "!")
        if self._peek()[0] in ("end", ","):
            return Requirement(key, "exists")
        token, literal = self._take(operators=True)
        operator = _OPERATORS.get(token)
        if operator is None:
            raise SelectorError(f"found '{literal}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._values() if operator in ("in", "notin") else self._value()
        return _checked(Requirement(key, operator, tuple(sorted(set(values)))))

    def _value(self) -> list[str]:
        if self._peek()[0] in ("end", ","):
            return [""]
        token, literal = self._take()
        if token != "word":
            raise SelectorError(f"found '{literal}', expected: identifier")
        return [literal]

    def _values(self) -> list[str]:
        token, literal = self._take()
        if token != "(":
            raise SelectorError(f"found '{literal}' expected: '('")
        token, literal = self._peek()
        if token == ")":
            self._take()
            return [""]
        if token not in ("word", ","):
            raise SelectorError(f"found '{literal}', expected: ',', ')' or identifier")
        found = self._words()
        if self._take()[0] != ")":
            raise SelectorError(f"found '{literal}', expected: ')'")
        return found

    def _words(self) -> list[str]:
        """The words of a list; an empty place between commas is the empty value."""
        found: list[str] = []
        while True:
            token, literal = self._take()
            if token == "word":
                found.append(literal)
                after, literal = self._peek()
                if after == ")":
                    return found
                if after != ",":
                    raise SelectorError(f"found '{literal}', expected: ',' or ')'")
            elif token == ",":
                if not found:
                    found.append("")
                after = self._peek()[0]
                if after == ")":
                    return [*found, ""]
                if after == ",":
                    self._take()
                    found.append("")
            else:
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")


def _checked(requirement: Requirement) -> Requirement:
    if requirement.operator in ("gt", "lt") and _integer(requirement.values[0]) is None:
        raise SelectorError(
            f"values[0]: Invalid value: {_quote(requirement.values[0])}: for 'Gt', 'Lt' operators, "
            "the value must be an integer"
        )
    for i, found in enumerate(requirement.values):
        if faults := label_value(found):
            raise SelectorError(f"values[{i}]: Invalid value: {_quote(found)}: {'; '.join(faults)}")
    return requirement


def _integer(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class FieldTerm(NamedTuple):
    field: str
    equal: bool
    value: str


@dataclass(frozen=True, slots=True)
class FieldSelector:
    terms: tuple[FieldTerm, ...] = ()

    @property
    def equalities(self) -> tuple[tuple[str, str], ...]:
        return tuple((t.field, t.value) for t in self.terms if t.equal)

    def matches(self, read: Callable[[str], Any]) -> bool:
        """`read` gives a field's value of the object as text; an absent one counts as empty."""
        return all((str(read(t.field) or "") == t.value) == t.equal for t in self.terms)


# Kinds whose own conversion speaks of an unknown field in these words; all others name the two that they know.
_PLAIN_WORDS = frozenset({"pods", "nodes", "namespaces", "secrets", "events", "services", "serviceaccounts"})


def parse_fields(text: str, kind: str = "", known: frozenset[str] | Mapping[str, Any] = frozenset()) -> FieldSelector:
    """`known` are the kind's selectable fields beyond name and namespace. Raises SelectorError."""
    return FieldSelector(tuple(_field_term(part, text, kind, known) for part in _parts(text) if part))


def _parts(text: str) -> Iterator[str]:
    """Split at commas that no backslash protects."""
    start = at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == ",":
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def _field_term(part: str, text: str, kind: str, known: frozenset[str] | Mapping[str, Any]) -> FieldTerm:
    for at in range(len(part)):
        for operator in ("!=", "==", "="):
            if part.startswith(operator, at) and part[at - 1 : at] != "\\":
                name, value = part[:at], _unescape(part[at + len(operator) :])
                _known_field(name, kind, known)
                return FieldTerm(name, operator != "!=", value)
    raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")


def _known_field(name: str, kind: str, known: frozenset[str] | Mapping[str, Any]) -> None:
    if name in ("metadata.name", "metadata.namespace") or name in known:
        return
    if kind in _PLAIN_WORDS and known:
        raise SelectorError(f"field label not supported: {name}")
    raise SelectorError(f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"')


def _unescape(text: str) -> str:
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            if text[at + 1 : at + 2] not in ("\\", ",", "=") or at + 1 == len(text):
                raise SelectorError(f"invalid field selector: invalid escape sequence: {text[at : at + 2]}")
            at += 1
        elif text[at] in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {ord(text[at])}")
        out.append(text[at])
        at += 1
    return "".join(out)
