"""Compose files -> one project: interpolated, checked, extended, included, merged, its profiles chosen.

In: the files in order, the variables of who starts. Out: `Project`, whose services hold long forms only. Faults are
collected over all files, so that a person mends them at once.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.app.compose import canonical, dotenv, merging, validation
from madang.app.compose.interpolation import interpolated
from madang.app.document import RESET, DocumentError, Map, Mark, read_file, shown
from madang.app.field import Field, root


@dataclass
class Project:
    """`document` is the merged file; `variables` what `$NAME` meant; `sources` every file that was read; `left_out`
    the services of profiles that were not asked for. `broken` says that too much is missing for the faults of the rest
    to be true; `holes` are the places that lack something wrong."""

    name: str
    directory: Path
    document: Map
    variables: Mapping[str, str]
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sources: list[Path] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    broken: bool = False
    holes: set[str] = field(default_factory=set)

    @property
    def root(self) -> Field:
        return root(self.document, faults=self.faults)


def read(
    files: Sequence[Path], *, name: str = "", profiles: Sequence[str] = (), env_files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Project:  # fmt: skip
    directory = files[0].resolve().parent
    reader = _Reader(directory)
    given = dict(os.environ if environment is None else environment)
    variables = reader.variables(given, list(env_files) or [directory / ".env"], bool(env_files))
    raws = [(path, reader.document(path)) for path in files]
    asked = name or variables.get("COMPOSE_PROJECT_NAME") or reader.own_name([raw for _, raw in raws], variables)
    project = asked or directory.name
    variables["COMPOSE_PROJECT_NAME"] = spelled(project)
    merged = Map(mark=raws[0][1].mark)
    for path, raw in raws:
        one = reader.whole(path, raw, variables, directory)
        merged = merging.document(merged, one) if merged else one
    merged = merging.without_resets(merged)
    chosen = {*profiles, *(p.strip() for p in variables.get("COMPOSE_PROFILES", "").split(",") if p.strip())}
    reader.warnings += unknown(profiles, merged)
    reader.choose(merged, chosen)
    return Project(
        spelled(project),
        directory,
        merged,
        variables,
        reader.faults,
        reader.warnings,
        list(dict.fromkeys(reader.sources)),
        reader.left_out,
        len(reader.faults) > reader.apart,
        reader.holes,
    )


def unknown(profiles: Sequence[str], document: Map) -> list[str]:
    """A profile that was asked for and that no service has changes nothing: most likely a slip of the pen."""
    services = document.get("services")
    each = services.values() if isinstance(services, Map) else ()
    known = sorted({str(p) for one in each if isinstance(one, Map) for p in one.get("profiles") or ()})
    there = f"there are: {', '.join(known)}" if known else "no service has a profile"
    return [f"--profile {name}: no service has this profile; {there}" for name in profiles if name not in (*known, "*")]


def spelled(name: str) -> str:
    """A project's name as Compose spells it: lower case, digits, dashes, underscores."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-") or "default"


class _Reader:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.faults: list[str] = []
        self.warnings: list[str] = []
        self.sources: list[Path] = []
        self.files: dict[Path, Map] = {}
        self.left_out: dict[str, list[str]] = {}
        self.apart = 0  # how many faults leave the rest as it is
        self.holes: set[str] = set()

    def checked(self, raw: Map, variables: Mapping[str, str]) -> Map:
        """A document whose shape is right, if need be without what is wrong in it."""
        document: Map = interpolated(raw, variables, self.faults, self.warnings)
        wrong = validation.faults(document)
        self.faults += [one.message for one in wrong]
        if not validation.without(document, wrong):
            return Map(mark=document.mark)
        self.apart += len(wrong)
        self.holes |= {validation.dotted(one.path[:-1]) for one in wrong}
        return document

    def formed(self, one: Field, base: Path) -> Map:
        known = len(self.faults)
        out = canonical.service(one, base)
        self.apart += len(self.faults) - known
        return out

    def document(self, path: Path) -> Map:
        """One file as it stands; documents of one file merge. Empty after a fault."""
        self.sources.append(path)
        try:
            documents = read_file(path)
        except DocumentError as error:
            self.faults.append(str(error))
            return Map()
        for one in documents:
            if not isinstance(one, Map):
                self.faults.append(f"{shown(path)}: expected a mapping with `services:`, found another thing")
                return Map()
        merged = documents[0] if documents else Map(mark=Mark(shown(path), 0))
        for one in documents[1:]:
            merged = merging.document(merged, one)
        return merged

    def own_name(self, raws: Sequence[Map], variables: Mapping[str, str]) -> str:
        names = [raw["name"] for raw in raws if isinstance(raw.get("name"), str)]
        return str(interpolated(names[-1], variables, [], [], "name")) if names else ""

    def variables(self, given: Mapping[str, str], paths: Sequence[Path], must: bool) -> dict[str, str]:
        """What was given wins over the files; a later file over an earlier one."""
        out: dict[str, str] = {}
        for path in paths:
            out.update((k, v) for k, v in self.env_file(path, {**out, **given}, must).items() if v is not None)
        return {**out, **given}

    def env_file(self, path: Path, known: Mapping[str, str], must: bool) -> dict[str, str | None]:
        try:
            text = path.read_text()
        except (FileNotFoundError, NotADirectoryError):
            if must:
                self.faults.append(f"{shown(path)}: the env file does not exist")
            return {}
        except (OSError, ValueError) as error:
            self.faults.append(f"{shown(path)}: {error}")
            return {}
        self.sources.append(path)
        try:
            return dotenv.parse(text, known)
        except dotenv.DotenvError as error:
            self.faults.append(f"{shown(path)}:{error.line}: {error.message}")
            return {}

    def whole(self, path: Path, raw: Map, variables: Mapping[str, str], base: Path) -> Map:
        """One file: interpolated, checked, long forms, includes and extends carried out."""
        document = self.checked(raw, variables)
        top = root(document, faults=self.faults)
        services = Map(mark=document.mark)
        for name, one in top["services"].items():
            value = RESET if one.value is RESET else self.formed(one, base)
            services.put(name, value, one.mark)
        for section in ("configs", "secrets"):
            for _, one in top[section].items():
                if "file" in one:
                    one.value["file"] = canonical.absolute(one["file"].text(), base)
        out = Map(((k, v) for k, v in document.items() if k != "include"), document.mark)
        out.marks = document.marks
        if "services" in document:
            out["services"] = self.extended(path, services, variables)
        for one in top["include"].each():
            out = self.included(one, out, variables, base)
        return out

    def included(self, one: Field, out: Map, variables: Mapping[str, str], base: Path) -> Map:
        """A file of its own, with its own folder and variables; a name that both have is a conflict."""
        entry = one.value if isinstance(one.value, dict) else {"path": one.value}
        of = Field(entry, one.path, one.mark, self.faults)
        paths = [Path(canonical.absolute(text, base)) for text in of["path"].texts()]
        folder = Path(canonical.absolute(of["project_directory"].text(), base)) if "project_directory" in of else None
        folder = folder or paths[0].parent
        if any(path in self.sources for path in paths):
            one.fault(f"{shown(paths[0])} is included twice, or includes itself")
            return out
        named = [Path(canonical.absolute(text, base)) for text in of["env_file"].texts()]
        inner = self.variables(variables, named or [folder / ".env"], bool(named))
        merged = Map(mark=one.mark)
        for path in paths:
            whole = self.whole(path, self.document(path), inner, folder)
            merged = merging.document(merged, whole) if merged else whole
        for section in ("services", "volumes", "networks", "configs", "secrets"):
            self.brought(section, merged.get(section) or Map(), out, one)
        return out

    def brought(self, section: str, theirs: Map, out: Map, one: Field) -> None:
        if not theirs:
            return
        if not isinstance(out.get(section), Map):
            out.put(section, Map(mark=one.mark), one.mark)
        ours: Map = out[section]
        for name, value in theirs.items():
            if name in ours and ours[name] != value and section == "services":
                one.fault(f"{section}.{name} is in the included file and in this one; override it in a second -f file")
            elif name not in ours:
                ours.put(name, value, theirs.marks[name])

    def extended(self, path: Path, services: Map, variables: Mapping[str, str]) -> Map:
        out = Map(mark=services.mark)
        for name in services:
            out.put(name, self.extend(path, services, name, variables, ()), services.marks[name])
        return out

    def extend(
        self, path: Path, services: Map, name: str, variables: Mapping[str, str], seen: tuple[tuple[Path, str], ...]
    ) -> Any:
        """A service over what it extends, however deep."""
        own = services[name]
        if not isinstance(own, Map) or not isinstance(own.get("extends"), Map):
            return own
        wanted = Field(own["extends"], f"services.{name}.extends", own.marks["extends"], self.faults)
        rest = Map(((k, v) for k, v in own.items() if k != "extends"), own.mark)
        rest.marks, rest.override = own.marks, own.override
        if (path, name) in seen:
            wanted.fault("extends itself: " + " -> ".join(n for _, n in (*seen, (path, name))))
            return rest
        other, there = services, path
        if "file" in wanted:
            there = Path(wanted["file"].text())
            other = self.services_of(there, variables)
        base = wanted["service"].text()
        if base not in other:
            if other or "file" not in wanted:
                wanted.fault(f'there is no service "{base}" in {shown(there)}; there are {", ".join(other) or "none"}')
            return rest
        extended = self.extend(there, other, base, variables, (*seen, (path, name)))
        return merging.mapping(extended, rest, ()) if isinstance(extended, Map) else rest

    def services_of(self, path: Path, variables: Mapping[str, str]) -> Map:
        """Another file's services, for `extends`; its paths count from its own folder."""
        if path not in self.files:
            document = self.checked(self.document(path), variables)
            found = Map(mark=document.mark)
            for name, one in root(document, faults=self.faults)["services"].items():
                found.put(name, self.formed(one, path.parent), one.mark)
            self.files[path] = found
        return self.files[path]

    def choose(self, document: Map, profiles: set[str]) -> None:
        """Services of other profiles are as if they were not there."""
        services = document.get("services")
        if not isinstance(services, Map):
            return
        for name in list(services):
            asked = (services[name] or {}).get("profiles") or ()
            if asked and "*" not in profiles and not profiles & set(asked):
                del services[name]
                self.left_out[name] = list(asked)
