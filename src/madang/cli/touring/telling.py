"""How the tour looks: a heading a step, prose at a readable width, commands as one would type them, figures in a grid.

In: words of one language, values. Out: text on the console; with `--output json` the text goes to standard error, so
that standard output holds the figures alone.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from madang.cli.screen import console, plain

if TYPE_CHECKING:
    from rich.console import Console

WIDEST = 92
UNITS = {"s": ("s", 2), "ms": ("ms", 0), "mib": ("MiB", 0), "percent": ("%", 0)}


class Telling:
    def __init__(self, words: Mapping[str, str], *, aside: bool = False) -> None:
        self.words = words
        self.aside = aside

    @property
    def console(self) -> "Console":
        return console(stderr=self.aside)

    def word(self, key: str, **values: object) -> str:
        return self.words[key].format(**values)

    def say(self, key: str, **values: object) -> None:
        """A paragraph, wrapped between words; what was put into it is no markup."""
        text = self.words[key].format(**{name: plain(str(value)) for name, value in values.items()})
        self.console.print(text, soft_wrap=False, width=self.width)

    def line(self, text: str = "") -> None:
        self.console.print(plain(text))

    @property
    def width(self) -> int:
        return min(self.console.width, WIDEST)

    def heading(self, number: int, of: int, step: str) -> None:
        from rich.rule import Rule

        self.line()
        title = f"[bold cyan]{number}/{of}[/]  [bold]{self.words[f'{step}.title']}[/]"
        self.console.print(Rule(title, align="left", characters="─", style="cyan"), width=self.width)
        rows = [(self.words[f"frame.{row}"], self.words[f"{step}.{row}"]) for row in ("word", "product", "here")]
        self.grid(rows)
        self.line()
        self.say(f"{step}.what")

    def command(self, words: Sequence[str], before: Mapping[str, str] | None = None) -> None:
        """As it can be copied into another terminal."""
        self.line()
        self.console.print(f"[bold green]$[/] [bold]{plain(shown(words, before))}[/]")
        self.flush()

    def see(self, key: str, **values: object) -> None:
        self.line()
        self.say(key, **values)

    def figures(self, step: str, values: Mapping[str, object]) -> None:
        self.line()
        self.console.print(f"[bold]{self.words['frame.measured']}[/]")
        self.grid(
            [(f"  {self.words[f'{step}.figure.{key}']}", f"[bold]{figure(key, v)}[/]") for key, v in values.items()]
        )

    def grid(self, rows: Sequence[tuple[str, str]]) -> None:
        from rich.table import Table

        out = Table.grid(padding=(0, 2, 0, 0))
        out.add_column(no_wrap=True, style="dim")
        out.add_column()
        for row in rows:
            out.add_row(*row)
        self.console.print(out, soft_wrap=False, width=self.width)

    def flush(self) -> None:
        """Before a command writes to the same place."""
        (sys.stderr if self.aside else sys.stdout).flush()


def shown(words: Sequence[str], before: Mapping[str, str] | None = None) -> str:
    """A command line with the variables that stand before it. Pure."""
    assignments = [f"{name}={shlex.quote(value)}" for name, value in (before or {}).items()]
    return " ".join([*assignments, shlex.join(words)])


def figure(name: str, value: object) -> str:
    """A figure with its unit, which its name ends with. Pure."""
    unit, digits = UNITS.get(name.rpartition("_")[2], ("", 0))
    if isinstance(value, float) or (unit and isinstance(value, int)):
        return f"{value:.{digits}f} {unit}".rstrip()
    if isinstance(value, dict):
        return "  ".join(f"{key} {part}" for key, part in value.items()) or "-"
    return str(value)
