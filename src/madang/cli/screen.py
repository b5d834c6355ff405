"""What a person sees: one console, plain when it is piped, and JSON where it is asked for.

In: values. Out: text on standard output (data) or standard error (progress, refusals).
"""

import json
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

AS_JSON = "json"


@cache
def console(stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def say(text: str = "") -> None:
    """A line of progress or result for a person (markup allowed)."""
    console().print(text)


def plain(text: str) -> str:
    """Text that others wrote, for `say` and `table`: its brackets are no markup."""
    from rich.markup import escape

    return escape(text)


def refuse(message: str) -> None:
    from rich.markup import escape

    console(stderr=True).print(f"[bold red]refused:[/] {escape(message)}")


def warn(message: str) -> None:
    from rich.markup import escape

    console(stderr=True).print(f"[yellow]warning:[/] {escape(message)}")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table

    out = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        out.add_column(column, overflow="fold")
    for row in rows:
        out.add_row(*row)
    console().print(out)


def gibibytes(quantity: str) -> str:
    """A node's memory, as a person reads it."""
    return f"{int(quantity[:-2]) / 2**20:.1f} GiB" if quantity.endswith("Ki") else quantity


def mebibytes(amount: float) -> str:
    return f"{amount / 2**20:.0f} MiB"
