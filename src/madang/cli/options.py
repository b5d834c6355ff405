"""The options that many commands share, declared once."""

from typing import Annotated

import typer

Name = Annotated[str, typer.Option("--name", envvar="MADANG_NAME", help="Which courtyard (there can be several).")]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="The project; default: the one that `up` brought last.")
]
Output = Annotated[str, typer.Option("--output", "-o", help="`json` for scripts; else text.")]
Service = Annotated[
    str, typer.Argument(metavar="SERVICE", help="The service, as the Compose file or the Deployment names it.")
]
DEFAULT = "default"


def words(given: list[str]) -> list[str]:
    """A command behind a service's name; `--` may stand before it."""
    return given[1:] if given[:1] == ["--"] else given
