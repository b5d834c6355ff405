"""YAML that remembers where each value stands.

In: the text of a file. Out: `Map` and `Seq` (dict and list with the mark of every entry), plain scalars, and RESET
where a value carries `!reset`. Scalars follow YAML 1.2's core schema, so that `on`, `no` and `22:22` stay text, with
one exception that all Compose tools make: `0444` is octal. Merge keys (`<<`), anchors and `!override` work.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

MOST_NODES = 200_000  # an alias that doubles itself thirty times is no application

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


class Mark(NamedTuple):
    file: str
    line: int  # from 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Mark("", 0)


class DocumentError(Exception):
    """`args[0]` is the whole message, with its place."""


class Reset:
    def __repr__(self) -> str:
        return "!reset"


RESET = Reset()


class Map(dict[str, Any]):
    """`marks` say where each key stands; `override` that the tag `!override` stood before the whole."""

    def __init__(self, items: Iterable[tuple[str, Any]] = (), mark: Mark = NOWHERE) -> None:
        super().__init__(items)
        self.mark = mark
        self.marks: dict[str, Mark] = dict.fromkeys(self, mark)
        self.override = False

    def put(self, key: str, value: Any, mark: Mark) -> None:
        self[key] = value
        self.marks[key] = mark


class Seq(list[Any]):
    def __init__(self, items: Iterable[Any] = (), mark: Mark = NOWHERE) -> None:
        super().__init__(items)
        self.mark = mark
        self.marks: list[Mark] = [mark] * len(self)
        self.override = False

    def put(self, value: Any, mark: Mark) -> None:
        self.append(value)
        self.marks.append(mark)


class _Marked(_Loader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own way


def _plain(tag: str, pattern: str, first: str) -> None:
    _Marked.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


_plain("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
_plain("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789")
_plain("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)", "-+0123456789.")
_plain("merge", "<<", "<")
_Marked.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def shown(path: Path) -> str:
    """A path as a person would write it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_file(path: Path) -> list[Any]:
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{shown(path)}: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise DocumentError(f"{shown(path)}: {error.strerror}") from error
    return read(text, shown(path))


def read(text: str, file: str) -> list[Any]:
    """Every document of the text that is not empty."""
    loader = _Marked(text)
    try:
        out = []
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                out.append(_Building(file).value(node))
        return [one for one in out if one is not None]
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        place = Mark(file, at.line + 1 if at else 0)
        context = f" ({error.context})" if error.context else ""
        if at and text[at.index : at.index + 1] == "\t":
            raise DocumentError(f"{place}: is not valid YAML: a tab; it is indented with spaces only") from error
        raise DocumentError(f"{place}: is not valid YAML: {error.problem or 'broken'}{context}") from error
    except yaml.YAMLError as error:
        raise DocumentError(f"{file}: is not valid YAML: {error}") from error
    finally:
        loader.dispose()


class _Building:
    """Nodes of one document into values. An alias gives a copy each time, since later steps change in place."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self.inside: list[int] = []

    def mark(self, node: yaml.Node) -> Mark:
        return Mark(self.file, node.start_mark.line + 1)

    def value(self, node: yaml.Node) -> Any:
        self.count += 1
        if self.count > MOST_NODES:
            raise DocumentError(f"{self.mark(node)}: the document grows without end through its aliases")
        if id(node) in self.inside:
            raise DocumentError(f"{self.mark(node)}: an alias stands inside of what it names")
        if node.tag == "!reset":
            return RESET
        self.inside.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node)
            if isinstance(node, yaml.SequenceNode):
                return self.sequence(node)
            assert isinstance(node, yaml.ScalarNode)
            return self.scalar(node)
        finally:
            self.inside.pop()

    def sequence(self, node: yaml.SequenceNode) -> Seq:
        out = Seq(mark=self.mark(node))
        out.override = node.tag == "!override"
        for item in node.value:
            out.put(self.value(item), self.mark(item))
        return out

    def mapping(self, node: yaml.MappingNode) -> Map:
        out, merged = Map(mark=self.mark(node)), []
        out.override = node.tag == "!override"
        for key, item in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                merged += list(self.sources(item))
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise DocumentError(f"{self.mark(key)}: a key must be text, not a list or a mapping")
            if key.value in out:
                first = out.marks[key.value].line
                raise DocumentError(f"{self.mark(key)}: the key {key.value!r} stands here already, in line {first}")
            out.put(key.value, self.value(item), self.mark(key))
        for source in merged:
            for name, value in source.items():
                if name not in out:
                    out.put(name, value, source.marks[name])
        return out

    def sources(self, node: yaml.Node) -> Iterator[Map]:
        """What `<<` names: a mapping, or a list of them, of which the first wins."""
        for one in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(one, yaml.MappingNode):
                raise DocumentError(f"{self.mark(node)}: `<<` merges a mapping or a list of mappings")
            yield self.value(one)

    def scalar(self, node: yaml.ScalarNode) -> Any:
        text: str = node.value
        match node.tag.rpartition(":")[2]:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return _whole(text)
            case "float":
                return float(text.lower().replace(".inf", "inf"))
        return text


def _whole(text: str) -> int:
    if re.fullmatch(r"0[0-7]+", text):
        return int(text, 8)
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


def plain(value: Any) -> Any:
    """The value without marks, and without what `!reset` takes away."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not RESET}
    if isinstance(value, list):
        return [plain(v) for v in value if v is not RESET]
    return value
