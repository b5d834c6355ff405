"""One file over another: the Compose Specification's merge rules, on long forms.

In: two services (or whole documents) whose short forms are gone. Out: a new one. Mappings merge by key; lists are
joined, ports, volumes, configs, secrets and env files by what makes each unique; commands are replaced; `!reset`
takes away, `!override` replaces (Compose Specification, merge).
"""

from collections.abc import Callable, Hashable
from typing import Any

from madang.app.document import RESET, Map, Seq

REPLACED = {("command",), ("entrypoint",), ("healthcheck", "test")}


def _port(one: Any) -> Hashable:
    return one["host_ip"], one["target"], one["published"], one["protocol"]


def _target(one: Any) -> Hashable:
    return str(one.get("target") or one.get("source"))


UNIQUE: dict[tuple[str, ...], Callable[[Any], Hashable]] = {
    ("ports",): _port,
    ("volumes",): _target,
    ("configs",): _target,
    ("secrets",): _target,
    ("env_file",): lambda one: one["path"],
}


def document(base: Map, over: Map) -> Map:
    """Whole files. Services merge by their rules, everything else by key."""
    out = Map(base.items(), base.mark)
    out.marks = dict(base.marks)
    for key, value in over.items():
        if key == "services" and isinstance(value, Map) and isinstance(out.get(key), Map):
            out[key] = services(out[key], value)
        else:
            _put(out, key, value, over, ("", key))
    return out


def services(base: Map, over: Map) -> Map:
    out = Map(base.items(), base.mark)
    out.marks = dict(base.marks)
    for name, one in over.items():
        _put(out, name, one, over, ())
    return out


def mapping(base: Map, over: Map, path: tuple[str, ...]) -> Map:
    if over.override:
        return over
    out = Map(base.items(), base.mark)
    out.marks, out.override = dict(base.marks), base.override
    for key, value in over.items():
        _put(out, key, value, over, (*path, key))
    return out


def _put(out: Map, key: str, value: Any, over: Map, path: tuple[str, ...]) -> None:
    """One key of `over` into the copy of the base."""
    if value is RESET:
        out.pop(key, None)
        return
    if value is None and out.get(key) is not None and path[:-1] != ("environment",):
        return  # there, no value means: take it from who starts
    out.put(key, _joined(out.get(key), value, path), over.marks[key])


def _joined(base: Any, over: Any, path: tuple[str, ...]) -> Any:
    if isinstance(base, Map) and isinstance(over, Map):
        return mapping(base, over, path)
    if isinstance(base, Seq) and isinstance(over, Seq) and not over.override and path not in REPLACED:
        return sequence(base, over, UNIQUE.get(path))
    return over


def sequence(base: Seq, over: Seq, unique: Callable[[Any], Hashable] | None) -> Seq:
    """The base's entries, then the other's; of two that are the same the later one, at the earlier one's place."""
    out = Seq(mark=base.mark)
    places: dict[Hashable, int] = {}
    for source in (base, over):
        for value, mark in zip(source, source.marks, strict=True):
            key = unique(value) if unique and value is not RESET else repr(value)
            if key in places:
                out[places[key]], out.marks[places[key]] = value, mark
                continue
            places[key] = len(out)
            out.put(value, mark)
    return out


def without_resets(value: Any) -> Any:
    """What remains of a single file's `!reset`: nothing."""
    if isinstance(value, Map):
        copy = Map(mark=value.mark)
        for key, one in value.items():
            if one is not RESET:
                copy.put(key, without_resets(one), value.marks[key])
        return copy
    if isinstance(value, Seq):
        out = Seq(mark=value.mark)
        for one, mark in zip(value, value.marks, strict=True):
            if one is not RESET:
                out.put(without_resets(one), mark)
        return out
    return value
