"""`madang architecture`: the picture of the outer architecture with its lamps, as text or JSON.

In: a courtyard, running or not. Out: three bands of elements by the word of the field: the product that people know,
what serves it here, and how it does now. The dashboard shows the same value.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from madang.cli import courtyards
from madang.cli.courtyards import Courtyard
from madang.cli.house import remote
from madang.cli.language import Lang, language
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.screen import AS_JSON, console, plain, print_json, say
from madang.web.text import Language, Text

if TYPE_CHECKING:
    from rich.table import Table

    from madang.ports.streams import Stack
    from madang.web.picture import Lit, LitBand, Picture

WIDEST, GAP = 200, 2
LAMPS = {  # a sign for each, for who sees no colours
    "ok": ("●", "green", Text("works", "정상")),
    "busy": ("◐", "yellow", Text("on its way, or below what is wanted", "진행 중 또는 부족")),
    "failed": ("✗", "red", Text("needs a look", "확인 필요")),
    "absent": ("○", "dim", Text("not here (or not yet)", "없음(또는 이후 제공)")),
}
COLUMNS = (
    Text("element", "요소"),
    Text("known as", "대표 제품"),
    Text("in Madang", "Madang에서는"),
    Text("now", "현재 상태"),
)


def architecture(name: Name = DEFAULT, lang: Lang = "", output: Output = "") -> None:
    """Show the outer architecture: three bands, each element by the field's word, what serves it here, and its health.

    Without a running courtyard all lamps are out, and the picture is the same.

    Example: `madang architecture --lang ko`
    """
    from madang.web.picture import picture

    chosen = language(lang)
    shown = picture(look(courtyards.find(name)))
    if output == AS_JSON:
        print_json(shown.as_json(chosen))
    else:
        draw(shown, chosen)


def look(court: Courtyard) -> Any:
    from madang.web.reading import READERS, machine, read, snapshot

    async def gather() -> dict[str, list[Any]]:
        async with remote(court) as api:
            return {kind: [entry.obj for entry in (await api.list(kind)).entries] for kind in READERS}

    objects = asyncio.run(gather()) if court.runs else {}
    return snapshot(read(objects), machine(court.record), images(court) if court.runs else ())


def images(court: Courtyard) -> "tuple[Stack, ...]":
    """Those that are here; none where the store cannot be read, as the picture has other things to tell."""
    from madang.node.images import place
    from madang.node.images.stacks import StoredStacks

    try:
        return StoredStacks(place.images(court.home)).read()
    except OSError:
        return ()


def draw(shown: "Picture", chosen: Language) -> None:
    """Four columns where there is room (a file has any), else two lines an element."""
    screen = console()
    room = screen.width if screen.is_terminal else WIDEST
    rows = {band.band.key: [*rows_of(band, chosen)] for band in shown.bands}
    widths = [max(cells(row[n]) for part in rows.values() for row in part) for n in range(len(COLUMNS))]
    for band in shown.bands:
        say(f"[bold cyan]{band.band.name.of(chosen)}[/]")
        if sum(widths) + GAP * (len(COLUMNS) - 1) <= room:
            screen.print(table(rows[band.band.key], widths, chosen), width=room)
        else:
            for name, known_as, here, now in rows[band.band.key]:
                say(name + (f"  [dim]({known_as})[/]" if known_as else ""))
                say(f"      {' · '.join(text for text in (here, now) if text)}")
        say()
    say("  ".join(f"[{style}]{sign}[/] {word.of(chosen)}" for sign, style, word in LAMPS.values()))


def cells(markup: str) -> int:
    """How wide a text is on the screen; a Korean letter takes two cells."""
    from rich.text import Text as Styled

    return Styled.from_markup(markup).cell_len


def table(rows: "list[list[str]]", widths: list[int], chosen: Language) -> "Table":
    from rich.table import Table

    out = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for heading, width in zip(COLUMNS, widths, strict=True):
        out.add_column(heading.of(chosen), header_style="dim", min_width=width, no_wrap=True)
    for row in rows:
        out.add_row(*row)
    return out


def rows_of(band: "LitBand", chosen: Language) -> "Iterator[list[str]]":
    for lit in band.elements:
        yield row_of(lit, chosen, "")
        for part in lit.parts:
            yield row_of(part, chosen, "  ")


def row_of(lit: "Lit", chosen: Language, indent: str) -> list[str]:
    sign, style, _ = LAMPS[lit.lamp]
    element = lit.element
    tint = "dim" if not element.built else "bold" if not indent else "default"
    now = lit.reason.of(chosen) if element.built else ""  # `here` says "later" already
    return [
        f"{indent}[{style}]{sign}[/] [{tint}]{plain(element.name.of(chosen))}[/]",
        plain(element.known_as.of(chosen)),
        plain(element.here.of(chosen)) if element.built else f"[dim]{plain(element.here.of(chosen))}[/]",
        plain(now),
    ]
