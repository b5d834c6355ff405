"""`develop.watch` of Compose: what is to be done when files change. Pure.

In: a service's rules, changed paths. Out: a `Todo` for each service: files to bring into its instances, whether these
are restarted or run a command after it, or are built anew, which makes everything else needless. A service with
`build:` and no rules is built anew on any change of its folder. Patterns are those of `.dockerignore`, relative to the
rule's path.
"""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from madang.app.field import Field
from madang.dockerfile.ignore import Ignore

REBUILD, SYNC, RESTART, SYNC_RESTART, SYNC_EXEC = "rebuild", "sync", "restart", "sync+restart", "sync+exec"
ALWAYS = "**/.git\n**/__pycache__\n"  # nobody's source


@dataclass(frozen=True, slots=True)
class Rule:
    """`target` is where `path` stands in the container; `first` says that all is brought when the watch begins."""

    service: str
    action: str
    path: Path
    target: str = ""
    ignore: Ignore = field(default_factory=lambda: Ignore(ALWAYS))
    include: Ignore | None = None
    first: bool = False
    command: tuple[str, ...] = ()

    def concerns(self, path: Path) -> bool:
        if path == self.path:
            return True
        if not path.is_relative_to(self.path):
            return False
        inside = path.relative_to(self.path).as_posix()
        return not self.ignore.left_out(inside) and (self.include is None or self.include.left_out(inside))

    def stands(self, path: Path) -> str:
        """Where a file of it stands inside."""
        return self.target if path == self.path else posixpath.join(self.target, path.relative_to(self.path).as_posix())


@dataclass(frozen=True, slots=True)
class Todo:
    """`files` are (path here, path inside); one that is not here any more goes there, too."""

    rebuild: bool = False
    files: Mapping[Path, str] = field(default_factory=dict)
    restart: bool = False
    commands: tuple[tuple[str, ...], ...] = ()


def rules_of(service: str, develop: Field) -> list[Rule]:
    """Faults go to the field."""
    found = []
    for one in develop["watch"].each():
        action, target = one["action"].text(), one["target"].text()
        if action.startswith(SYNC) and not target.startswith("/"):
            one["target" if "target" in one else "action"].fault(f"{action} wants a target: a path in the container")
            continue
        exec_ = one["exec"]["command"]
        command = exec_.texts() if isinstance(exec_.value, list) else ["/bin/sh", "-c", exec_.text()]
        if action == SYNC_EXEC and not exec_:
            one["action"].fault(f"{action} wants exec: with the command to run")
            continue
        try:
            ignore = Ignore(ALWAYS + "\n".join(one["ignore"].texts()))
            include = Ignore("\n".join(one["include"].texts())) if "include" in one else None
        except ValueError as error:
            one.fault(str(error).removeprefix(".dockerignore "))
            continue
        first = one["initial_sync"].truth()
        path = Path(one["path"].text())
        found.append(
            Rule(service, action, path, posixpath.normpath(target) if target else "", ignore, include, first,
                 tuple(command) if action == SYNC_EXEC else ())
        )  # fmt: skip
    return found


def todo(rules: Sequence[Rule], paths: Iterable[Path]) -> dict[str, Todo]:
    out: dict[str, Todo] = {}
    for path in paths:
        for rule in rules:
            if rule.concerns(path):
                out[rule.service] = joined(out.get(rule.service, Todo()), rule, path)
    return out


def joined(known: Todo, rule: Rule, path: Path) -> Todo:
    files = {**known.files, path: rule.stands(path)} if rule.action.startswith(SYNC) else known.files
    commands = known.commands
    if rule.command and rule.command not in commands:
        commands = (*commands, rule.command)
    restart = known.restart or rule.action in (RESTART, SYNC_RESTART)
    return Todo(known.rebuild or rule.action == REBUILD, files, restart, commands)
