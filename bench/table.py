"""How a bench tells what it measured: one row a measure, with its spread, the goal, and the peer's figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Measure:
    """`values` are the runs. `goal` and `peer` are words: they carry their own units and conditions."""

    name: str
    values: Sequence[float]
    unit: str
    goal: str = ""
    peer: str = ""

    def cells(self) -> tuple[str, str, str, str, str]:
        low, high = min(self.values), max(self.values)
        spread = f"{number(low)} .. {number(high)}" if len(self.values) > 1 else ""
        return self.name, f"{number(median(self.values))} {self.unit}", spread, self.goal, self.peer


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(title: str, measures: Sequence[Measure]) -> None:
    head = ("measure", "median", "spread", "goal", "peer")
    rows = [measure.cells() for measure in measures]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n## {title}\n")
    for row in (head, tuple("-" * width for width in widths), *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
