"""The options that many commands share, declared once."""

from collections.abc import Callable
from typing import Annotated

import typer

from madang.cli.refusal import Refusal


def one_of(option: str, *allowed: str) -> Callable[[str], str]:
    """A check for an option that knows few words; empty is "not given"."""

    def check(value: str) -> str:
        if value and value not in allowed:
            raise Refusal(f"{option} {value}: expected {' or '.join(allowed)}", code=2)
        return value

    return check


Name = Annotated[str, typer.Option("--name", envvar="MADANG_NAME", help="Which courtyard (there can be several).")]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="The project; default: the one that `up` brought last.")
]
Output = Annotated[
    str, typer.Option("--output", "-o", callback=one_of("--output", "json"), help="`json` for scripts; else text.")
]
Service = Annotated[
    str, typer.Argument(metavar="SERVICE", help="The service, as the Compose file or the Deployment names it.")
]
DEFAULT = "default"


def words(given: list[str]) -> list[str]:
    """A command behind a service's name; `--` may stand before it."""
    return given[1:] if given[:1] == ["--"] else given
