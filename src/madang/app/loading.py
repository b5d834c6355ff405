"""Files -> an application, or everything that is wrong with them. Nothing is applied.

In: paths and options. Out: an `Application`. Raises `ApplicationError` with all faults.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from madang.app.application import Application, ApplicationError, LoadOptions
from madang.app.document import shown
from madang.app.find import find
from madang.app.overlay import taken


def load(paths: Sequence[Path], options: LoadOptions) -> Application:
    files = find(paths, options.files, override=not options.environment)
    if files.manifests:
        if options.environment:
            what = f"{shown(files.manifests[0])} is a manifest: an environment is files over a Compose file"
            raise ApplicationError([f"--env {options.environment}: {what}"])
        from madang.app.manifests import read_manifests

        return replace(read_manifests(files.manifests, options), paths=tuple(paths))
    from madang.app.compose.objects import application
    from madang.app.compose.project import read

    chosen = taken(files.compose, options.env_files, options.environment)
    project = read(chosen.compose, name=options.project, profiles=options.profiles, env_files=chosen.env_files)
    if project.broken:
        raise ApplicationError(sorted(project.faults, key=place))
    known = len(project.faults)
    made = application(project, options)
    more = [fault for fault in project.faults[known:] if fault_path(fault) not in project.holes]
    if faults := [*project.faults[:known], *more]:
        raise ApplicationError(sorted(faults, key=place))
    return replace(made, paths=tuple(paths), taken=chosen.told)


def fault_path(message: str) -> str:
    """`compose.yaml:3: services.web: has neither ...` -> `services.web`."""
    matched = re.match(r".*?:\d+: ([^ ]+): ", message)
    return matched[1] if matched else ""


def place(message: str) -> tuple[str, int]:
    """File and line of a message, so that a person reads from top to bottom."""
    matched = re.match(r"(.*?):(\d+): ", message)
    return (matched[1], int(matched[2])) if matched else ("", 0)
