"""`RUN --mount=...`: what a step sees beside its own files. Pure.

In: the flag's text, its variables replaced. Out: a `Mount`, or the refusal with the line. `type=ssh` is refused: we
have no agent to hand in.
"""

import csv
import posixpath
import re
from dataclasses import dataclass, replace

from madang.dockerfile.refusal import Refused

UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
BOTH = {"type", "target", "dst", "destination"}
KEYS = {
    "bind": {"source", "src", "from", "rw", "readwrite", "ro", "readonly"},
    "cache": {"source", "src", "from", "rw", "readwrite", "ro", "readonly", "id", "sharing", "mode", "uid", "gid"},
    "tmpfs": {"size"},
    "secret": {"id", "required", "mode", "uid", "gid", "env"},
}
YES, NO = ("true", "1"), ("false", "0")
FLAGS = ("rw", "readwrite", "ro", "readonly", "required")


@dataclass(frozen=True, slots=True)
class Mount:
    """`origin` is `from=` as written; whoever plans turns it into `stage` or `image` (neither: the build's folder)."""

    type: str = "bind"
    target: str = ""
    source: str = ""
    origin: str = ""
    stage: int | None = None
    image: str = ""
    readonly: bool = False
    id: str = ""
    sharing: str = "shared"
    mode: int | None = None
    uid: int = 0
    gid: int = 0
    size: int = 0
    required: bool = False
    env: str = ""


def mount(text: str, line: int, workdir: str = "/") -> Mount:
    """`target` comes out absolute."""
    given: dict[str, str] = {}
    for part in next(csv.reader([text], skipinitialspace=True), []):
        key, sign, value = part.partition("=")
        key = key.lower().strip()
        if not sign and key not in FLAGS:
            raise Refused(line, f'--mount={text}: "{part}" must be a key=value pair')
        given[key] = value if sign else "true"
    kind = given.get("type", "bind")
    if kind == "ssh":
        raise Refused(line, "RUN --mount=type=ssh is not supported here")
    if kind not in KEYS:
        raise Refused(line, f'--mount={text}: unsupported mount type "{kind}", expected one of {", ".join(KEYS)}')
    for key in given:
        if key not in KEYS[kind] | BOTH:
            allowed = ", ".join(sorted(KEYS[kind] | BOTH))
            raise Refused(
                line, f'--mount={text}: unexpected key "{key}" for a mount of type {kind}; allowed: {allowed}'
            )
    return completed(filled(kind, given, text, line), text, line, workdir)


def origin_of(text: str) -> str:
    """What `from=` names, before any variable is replaced."""
    parts = next(csv.reader([text], skipinitialspace=True), [])
    return next((part[5:] for part in parts if part.lower().startswith("from=")), "")


def filled(kind: str, given: dict[str, str], text: str, line: int) -> Mount:
    def first(*keys: str) -> str:
        return next((given[k] for k in keys if k in given), "")

    def number(key: str, base: int = 10) -> int:
        try:
            return int(given.get(key, "0"), base)
        except ValueError:
            raise Refused(line, f'--mount={text}: {key}: expected a number, found "{given[key]}"') from None

    for key in FLAGS:
        if given.get(key, "true") not in YES + NO:
            raise Refused(line, f'--mount={text}: {key}: expected true or false, found "{given[key]}"')
    closed, opened = first("ro", "readonly"), first("rw", "readwrite")
    readonly = opened not in YES if opened else closed in YES if closed else kind == "bind"
    return Mount(
        kind,
        first("target", "dst", "destination"),
        first("source", "src"),
        first("from"),
        readonly=readonly,
        id=given.get("id", ""),
        sharing=given.get("sharing", "shared"),
        mode=number("mode", 8) if "mode" in given else None,
        uid=number("uid"),
        gid=number("gid"),
        size=size(given.get("size", ""), text, line),
        required=given.get("required", "false") in YES,
        env=given.get("env", ""),
    )


def completed(one: Mount, text: str, line: int, workdir: str) -> Mount:
    if one.sharing not in ("shared", "private", "locked"):
        raise Refused(line, f'--mount={text}: sharing: expected shared, private or locked, found "{one.sharing}"')
    if one.type == "secret":
        name = one.id or posixpath.basename(one.target)
        if not name:
            raise Refused(line, f"--mount={text}: a secret needs an id or a target")
        target = one.target or ("" if one.env else f"/run/secrets/{posixpath.basename(name)}")
        one = replace(one, id=name, target=target, mode=0o400 if one.mode is None else one.mode)
        if not target:
            return one
    if not one.target:
        raise Refused(line, f"--mount={text}: a mount of type {one.type} needs a target")
    absolute = posixpath.normpath(posixpath.join(workdir or "/", one.target))
    if absolute == "/":
        raise Refused(line, f"--mount={text}: the target can not be the root")
    source = posixpath.normpath(posixpath.join("/", one.source))
    if one.type == "cache":
        one = replace(one, id=one.id or absolute, mode=0o755 if one.mode is None else one.mode)
    return replace(one, target=absolute, source=source)


def size(text: str, flag: str, line: int) -> int:
    if not text:
        return 0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.lower())
    if not found:
        raise Refused(line, f'--mount={flag}: size: expected bytes like "64m", found "{text}"')
    return int(float(found[1]) * UNITS[found[2]])
