"""The options that many commands share, declared once."""

import re
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


def as_named(service: str) -> str:
    """A Compose file may write capitals and `_`, which no object's name holds: both spellings mean the same service."""
    if re.search(r"[A-Z_]", service) is None or "/" in service:
        return service
    from madang.app.compose.names import object_name

    return object_name(service)


Name = Annotated[str, typer.Option("--name", envvar="MADANG_NAME", help="Which courtyard (there can be several).")]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="The project; default: the one that `up` brought last.")
]
Output = Annotated[
    str, typer.Option("--output", "-o", callback=one_of("--output", "json"), help="`json` for scripts; else text.")
]
Service = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE", callback=as_named, help="The service, as the Compose file or the Deployment names it."
    ),
]
DEFAULT = "default"


def words(given: list[str]) -> list[str]:
    """A command behind a service's name; `--` may stand before it."""
    return given[1:] if given[:1] == ["--"] else given
