"""A service as one file writes it -> the same with long forms only, so that merging and mapping know one form.

In: a service's Field and the folder that its relative paths count from. Out: a Map in which lists of NAME=value are
mappings, short forms are long, commands are lists, paths are absolute.
"""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from madang.app.compose.ports import port_entries
from madang.app.document import RESET, Map, Mark, Seq
from madang.app.field import Field, as_text

Form = Callable[[Field, Path], Any]


def service(field: Field, base: Path) -> Map:
    out = Map(mark=field.mark)
    out.override = getattr(field.value, "override", False)
    for key, one in field.items():
        out.put(key, _formed(FORMS.get(key), one, base), one.mark)
    return out


def _formed(form: Form | None, one: Field, base: Path) -> Any:
    if form is None or one.value is RESET or one.value is None:
        return one.value
    value = form(one, base)
    if isinstance(value, Map | Seq):
        value.override = getattr(one.value, "override", False)
    return value


def pairs(one: Field, _: Path) -> Map:
    """`[A=1, B]` or `{A: 1, B: }` -> {A: "1", B: None}."""
    out = Map(mark=one.mark)
    if isinstance(one.value, dict):
        for key, given in one.items():
            out.put(key, given.value if given.value in (None, RESET) else given.text(), given.mark)
        return out
    for entry in one.each():
        name, equals, value = entry.text().partition("=")
        out.put(name, value if equals else None, entry.mark)
    return out


def hosts(one: Field, _: Path) -> Map:
    """`NAME:IP` or `NAME=IP`, or a mapping -> {NAME: [IP, ...]}."""
    out = Map(mark=one.mark)
    if isinstance(one.value, dict):
        for key, value in one.items():
            out.put(key, Seq(value.texts(), value.mark), value.mark)
        return out
    for entry in one.each():
        text = entry.text()
        at = min((i for i in (text.find("="), text.find(":")) if i > 0), default=0)
        if not at:
            entry.expected('NAME:ADDRESS such as "somehost:10.0.0.3"')
            continue
        address = text[at + 1 :].strip("[]")
        out.put(text[:at], Seq([*out.get(text[:at], []), address], entry.mark), entry.mark)
    return out


def names(one: Field, _: Path) -> Map:
    """A list of names, or a mapping of them."""
    if isinstance(one.value, Map):
        return one.value
    out = Map(mark=one.mark)
    for entry in one.each():
        out.put(entry.text(), None, entry.mark)
    return out


def depends_on(one: Field, _: Path) -> Map:
    if isinstance(one.value, Map):
        return one.value
    out = Map(mark=one.mark)
    for entry in one.each():
        out.put(entry.text(), Map([("condition", "service_started")], entry.mark), entry.mark)
    return out


def words(one: Field, _: Path) -> Seq:
    if isinstance(one.value, list):
        return Seq((as_text(v) for v in one.value), one.mark)
    try:
        return Seq(shlex.split(one.text()), one.mark)
    except ValueError as error:
        one.fault(f"cannot be split into words: {error}")
        return Seq(mark=one.mark)


def listed(one: Field, _: Path) -> Seq:
    return Seq(one.texts(), one.mark)


def ports(one: Field, _: Path) -> Seq:
    out = Seq(mark=one.mark)
    for entry in one.each():
        for each in port_entries(entry):
            out.put(each, entry.mark)
    return out


def files(one: Field, base: Path) -> Seq:
    """`configs` and `secrets` of a service."""
    out = Seq(mark=one.mark)
    for entry in one.each():
        out.put(entry.value if isinstance(entry.value, dict) else made(entry.mark, source=entry.text()), entry.mark)
    return out


def env_files(one: Field, base: Path) -> Seq:
    out = Seq(mark=one.mark)
    for entry in one.each():
        if isinstance(entry.value, dict):
            made_of = {k: v.value for k, v in entry.items()} | {"path": absolute(entry["path"].text(), base)}
            out.put(made(entry.mark, **made_of), entry.mark)
        else:
            out.put(made(entry.mark, path=absolute(entry.text(), base)), entry.mark)
    return out


def volumes(one: Field, base: Path) -> Seq:
    out = Seq(mark=one.mark)
    for entry in one.each():
        value = _long_volume(entry, base) if isinstance(entry.value, dict) else short_volume(entry, base)
        if value is not None:
            out.put(value, entry.mark)
    return out


def _long_volume(entry: Field, base: Path) -> Map:
    out = Map(mark=entry.mark)
    for key, value in entry.items():
        out.put(key, value.value, value.mark)
    if entry["type"].text() == "bind" and "source" in entry:
        out["source"] = absolute(entry["source"].text(), base)
    return out


def short_volume(entry: Field, base: Path) -> Map | None:
    """[SOURCE:]TARGET[:MODE]; a source with a slash or a dot in front is a path, any other a volume's name."""
    parts = entry.text().split(":")
    if len(parts) > 3 or not all(parts):
        entry.expected('a volume such as "data:/data", "./src:/app:ro" or "/data"')
        return None
    if len(parts) == 1:
        return made(entry.mark, type="volume", target=parts[0])
    source, target, *mode = parts
    if not target.startswith("/"):
        entry.fault(f'the path inside must be absolute, found "{target}"')
        return None
    out = made(entry.mark, type="bind" if source[0] in "./~" else "volume", source=source, target=target)
    if out["type"] == "bind":
        out["source"] = absolute(source, base)
    if mode and "ro" in mode[0].split(","):
        out.put("read_only", True, entry.mark)
    return out


def build(one: Field, base: Path) -> Map:
    if not isinstance(one.value, dict):
        return made(one.mark, context=_context(one.text(), base))
    out = Map(mark=one.mark)
    for key, value in one.items():
        out.put(key, pairs(value, base) if key == "args" and value else value.value, value.mark)
    if "context" in one or "dockerfile_inline" in one or "dockerfile" in one:
        out.put("context", _context(one["context"].text("."), base), one["context"].mark)
    return out


def _context(text: str, base: Path) -> str:
    return text if "://" in text or text.startswith("git@") else absolute(text, base)


def develop(one: Field, base: Path) -> Map:
    """What is watched, by absolute paths; patterns are lists."""
    out = Map(mark=one.mark)
    for key, value in one.items():
        if key != "watch":
            out.put(key, value.value, value.mark)
            continue
        rules = Seq(mark=value.mark)
        for rule in value.each():
            each = Map(mark=rule.mark)
            for name, inner in rule.items():
                formed = absolute(inner.text(), base) if name == "path" else inner.value
                each.put(name, Seq(inner.texts(), inner.mark) if name in ("ignore", "include") else formed, inner.mark)
            rules.put(each, rule.mark)
        out.put(key, rules, value.mark)
    return out


def deploy(one: Field, base: Path) -> Map:
    out = Map(mark=one.mark)
    for key, value in one.items():
        out.put(key, pairs(value, base) if key == "labels" and value else value.value, value.mark)
    return out


def extends(one: Field, base: Path) -> Map:
    if not isinstance(one.value, dict):
        return made(one.mark, service=one.text())
    out = made(one.mark, service=one["service"].text())
    if "file" in one:
        out.put("file", absolute(one["file"].text(), base), one["file"].mark)
    return out


def absolute(text: str, base: Path) -> str:
    return os.path.normpath(base / os.path.expanduser(text))


def made(mark: Mark, **items: Any) -> Map:
    out = Map(mark=mark)
    for key, value in items.items():
        out.put(key, value, mark)
    return out


FORMS: dict[str, Form] = {
    "annotations": pairs,
    "build": build,
    "command": words,
    "configs": files,
    "depends_on": depends_on,
    "deploy": deploy,
    "develop": develop,
    "dns": listed,
    "dns_opt": listed,
    "dns_search": listed,
    "entrypoint": words,
    "env_file": env_files,
    "environment": pairs,
    "expose": listed,
    "extends": extends,
    "extra_hosts": hosts,
    "labels": pairs,
    "networks": names,
    "ports": ports,
    "secrets": files,
    "sysctls": pairs,
    "tmpfs": listed,
    "volumes": volumes,
}
