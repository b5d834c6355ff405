"""What all services of a project stand on: the project, the options, its namespace, its objects' names.

In: a project. Out: a `Ground`; names that clash become the project's faults.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from madang.app.application import LoadOptions
from madang.app.compose.names import clashes, object_name
from madang.app.compose.project import Project
from madang.app.field import Field


@dataclass(frozen=True, slots=True)
class Ground:
    """`names` are object names by service."""

    project: Project
    options: LoadOptions
    namespace: str
    names: Mapping[str, str]

    def warn(self, one: Field, text: str) -> None:
        message = f"{one.mark}: {one.path}: {text}"
        if message not in self.project.warnings:
            self.project.warnings.append(message)


def ground(project: Project, options: LoadOptions) -> Ground:
    services = [name for name, _ in project.root["services"].items()]
    for name, several in clashes(services).items():
        project.root["services"][several[1]].fault(
            f'becomes the object name "{name}", and so does {several[0]}: rename one'
        )
    if object_name(project.name).startswith("kube-"):
        project.faults.append(f'{project.root.mark}: name: "{project.name}": names that begin with kube- are not yours')
    return Ground(project, options, object_name(project.name), {s: object_name(s) for s in services})
